import { distance } from 'fastest-levenshtein'
import { nearest } from '../fault/usage.js'
import { listTests, type ListedTest } from './list-tests.js'
import type { Plan } from './plan.js'

const SHOWN = 3

/** Why `plan` has no test to run, found out by a look at all tests of its suites. */
export async function whyNoTests({ title, tags, ...plan }: Plan): Promise<string> {
  const narrowed = title !== undefined || tags.length > 0
  // That they cannot be listed is not what is asked here.
  const tests = narrowed ? await listTests({ ...plan, tags: [] }).catch(() => []) : []
  return noneMatches({ ...(title !== undefined && { title }), tags }, tests)
}

/** Why none of `tests` matches what was asked for, with the titles and tags that may have been meant. */
export function noneMatches(
  { title, tags }: { title?: string; tags: readonly string[] },
  tests: readonly Pick<ListedTest, 'title' | 'tags'>[],
): string {
  const asked = [
    ...(title === undefined ? [] : [`/${title}/`]),
    ...tags.map(tag => `@${tag.replace(/^@/, '')}`),
  ].join(' and ')
  const known = [...new Set(tests.flatMap(test => test.tags))]
  const meant = tags
    .map(tag => `@${tag.replace(/^@/, '')}`)
    .filter(tag => !known.includes(tag))
    .flatMap(tag => nearest(tag, known) ?? [])
  const near = [...meant, ...(title === undefined ? [] : nearestTitles(title, tests))]
  const hint = near.length ? `; the nearest: ${near.join(', ')}` : ''
  return `no test matches ${asked || 'what was asked for'}${hint} (see: bootwright list tests)`
}

function nearestTitles(asked: string, tests: readonly Pick<ListedTest, 'title'>[]): string[] {
  const titles = [...new Set(tests.map(({ title }) => title.join(' › ')))]
  return titles
    .map(title => ({ title, far: farFrom(asked.toLowerCase(), title.toLowerCase()) }))
    .sort((a, b) => a.far - b.far)
    .slice(0, SHOWN)
    .map(({ title }) => `"${title}"`)
}

/** How far from `asked` the words of a title are that come nearest to it: mostly a part of a title is asked for. */
function farFrom(asked: string, title: string): number {
  const words = title.split(/\s+/)
  const count = Math.min(words.length, asked.split(/\s+/).length)
  const starts = [...Array(words.length - count + 1).keys()]
  return Math.min(...starts.map(start => distance(asked, words.slice(start, start + count).join(' '))))
}
