import { isAbsolute } from 'node:path'
import { junit } from 'node:test/reporters'

/**
 * Reporter of `node --test`: JUnit, and in a comment at its end what it comes to. Counts tests, not suites; a test that
 * failed only because one inside it did is not counted twice, and a file that holds no test counts as failed.
 */
export default async function* countingReporter(events) {
  const counts = { passed: 0, failed: 0, skipped: 0 }
  yield* junit(counted(events, counts))
  yield `<!-- counts ${JSON.stringify(counts)} -->\n`
}

/** The counts at the end of a report; undefined when the run that wrote it was cut short. */
export function countsIn(report) {
  const comment = /<!-- counts (\{.*\}) -->\s*$/.exec(report)
  return comment ? JSON.parse(comment[1]) : undefined
}

async function* counted(events, counts) {
  for await (const event of events) {
    const outcome = outcomeOf(event)
    if (outcome) counts[outcome]++
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
