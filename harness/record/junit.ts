import untyped, { type Builder, type TestCase, type TestSuite } from 'junit-report-builder'
import { lastAttempt, type RunRecord, type TestRecord } from './record.js'

// The package exports the builder itself, but its types say that it stands under "default".
const builder = untyped as unknown as Builder

/**
 * The record as JUnit XML. A product failure is a `<failure>`; one of the lab, the harness or the test itself is an
 * `<error>`; a miss is an `<error>` too, so that no dashboard shows a run green that did not test what it should.
 */
export function toJUnit(record: RunRecord): string {
  const report = builder.newBuilder()
  const suites = new Map<string, TestSuite>()
  for (const test of record.tests) {
    const name = `${test.project} ${test.file}`
    const suite = suites.get(name) ?? report.testSuite().name(name).timestamp(new Date(record.startedAt))
    suites.set(name, suite)
    addCase(suite.testCase(), test)
  }
  return report.build()
}

function addCase(testCase: TestCase, test: TestRecord): void {
  const { verdict, duration } = lastAttempt(test)
  testCase
    .className(test.file)
    .name(test.title.join(' › '))
    .time(duration / 1000)
  if (verdict.culprit) testCase.property('culprit', verdict.culprit)
  if (verdict.code) testCase.property('code', verdict.code)
  if (verdict.stage) testCase.property('stage', verdict.stage)
  const message = verdict.message ?? ''
  if (verdict.verdict === 'fail') testCase.failure(message, verdict.code)
  else if (verdict.verdict === 'error' || verdict.verdict === 'miss') testCase.error(message, verdict.code)
  else if (verdict.verdict === 'skip') {
    testCase.property('reason', message)
    testCase.skipped()
  }
}
