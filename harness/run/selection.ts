/** The one expression over a test's full title, tags included, that stands for a title and tags which must all match. */
export function selectionOf({
  title,
  tags,
}: {
  title?: string
  tags: readonly string[]
}): RegExp | undefined {
  const conditions = [
    ...tags.map(tag => `@${escaped(tag.replace(/^@/, ''))}(?![\\w:-])`),
    ...(title === undefined ? [] : [overTags(title)]),
  ]
  if (conditions.length === 0) return undefined
  return new RegExp(conditions.map(condition => `(?=.*(?:${condition}))`).join(''), 's')
}

/** Tags of a describe block stand in the full title, between its own title and that of the test. */
function overTags(title: string): string {
  return title.replace(/\[(?:\\.|[^\]])*\]| /g, part => (part === ' ' ? '(?: @\\S+)* ' : part))
}

/** Text as an expression that matches just it. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
