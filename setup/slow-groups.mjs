/**
 * Order in which the slow groups run on `date`: the same groups each day, starting with another one, so that a time
 * budget leaves out different ones.
 */
export function rotated(groups, date) {
  if (groups.length === 0) return []
  const day = Math.floor(date.getTime() / 86_400_000)
  const sorted = [...groups].sort()
  const first = day % sorted.length
  return [...sorted.slice(first), ...sorted.slice(0, first)]
}

/**
 * Runs groups one after another within a budget. One that would not fit by what it took last time is left for another
 * day; a shorter one after it may still run.
 *
 * @param {{ groups: string[], budget: number, took: Record<string, number>, now?: () => number,
 *   run: (group: string, left: number) => Promise<{ finished: boolean }> }} options
 *   budget and took in ms; `left` is what remains when the group starts
 * @returns {Promise<string[]>} the groups that did not run to their end
 */
export async function runWithin({ groups, budget, took, run, now = Date.now }) {
  const end = now() + budget
  const notRun = []
  for (const group of groups) {
    const left = end - now()
    const fits = left > 0 && (took[group] ?? 0) <= left
    const finished = fits && (await run(group, left)).finished
    if (!finished) notRun.push(group)
  }
  return notRun
}
