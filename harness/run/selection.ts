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
    ...(title === undefined ? [] : [title]),
  ]
  if (conditions.length === 0) return undefined
  return new RegExp(conditions.map(condition => `(?=.*(?:${condition}))`).join(''), 's')
}

/** Text as an expression that matches just it. */
export function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
