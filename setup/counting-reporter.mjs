import { writeFileSync } from 'node:fs'
import { isAbsolute } from 'node:path'
import { junit } from 'node:test/reporters'

/**
 * Reporter of `node --test`: JUnit, and what it comes to so far in the file that BOOTWRIGHT_TEST_COUNTS names, so that
 * a run that is cut short keeps its failures. Counts tests, not suites; a test that failed only because one inside it
 * did is not counted twice, and a file that holds no test counts as failed.
 */
export default async function* countingReporter(events) {
  const counts = { passed: 0, failed: 0, skipped: 0, complete: false }
  const file = process.env.BOOTWRIGHT_TEST_COUNTS
  const note = () => writeFileSync(file, JSON.stringify(counts))
  note()
  yield* junit(counted(events, counts, note))
  counts.complete = true
  note()
}

async function* counted(events, counts, note) {
  for await (const event of events) {
    const outcome = outcomeOf(event)
    if (outcome) {
      counts[outcome]++
      note()
    }
    yield event
  }
}

function outcomeOf({ type, data }) {
  if (type !== 'test:pass' && type !== 'test:fail') return undefined
  const failed = type === 'test:fail'
  if (failed && data.details.error?.failureType === 'subtestsFailed') return undefined
  if (data.details.type === 'suite') return failed ? 'failed' : undefined
  if (data.skip !== undefined || data.todo !== undefined) return 'skipped'
  return failed || isFile(data) ? 'failed' : 'passed'
}

/** Node reports a file as a test of its own when it holds none, or when it ended badly after its tests. */
function isFile({ name, nesting }) {
  return nesting === 0 && isAbsolute(name) && /\.[mc]?js$/.test(name)
}
