import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RECORD_SCHEMA, type RunRecord, type Verdict } from './record.js'
import { summarise } from './summary.js'

function recordOf(...verdicts: Verdict[]): RunRecord {
  return {
    schema: RECORD_SCHEMA,
    run: 'r',
    harness: '0',
    commandLine: [],
    seed: 0,
    startedAt: 0,
    endedAt: 12_340,
    interrupted: false,
    exitCode: 0,
    images: [],
    devices: [],
    faults: [
      { id: 'f-1', code: 'boot.timeout', culprit: 'product', expected: 'e', seen: 's', next: 'wait longer' },
    ],
    tests: verdicts.map((verdict, index) => ({
      id: `${index}`,
      project: 'x@y',
      file: 'a.spec.ts',
      line: index + 1,
      title: ['group', `test ${index}`],
      tags: [],
      attempts: [{ verdict, startedAt: 0, duration: 1, faults: verdict.rule === 'fault' ? ['f-1'] : [] }],
    })),
  }
}

test('a run without failures is one line', () => {
  const lines = summarise(recordOf({ verdict: 'pass', rule: 'passed' }), false)
  assert.deepEqual(lines, ['', '1 passed · 0 boots · 12.3 s'])
})

test('a failure says what, at which stage, whose it is, by which rule, where, and what to do', () => {
  const text = summarise(
    recordOf(
      {
        verdict: 'fail',
        culprit: 'product',
        code: 'boot.timeout',
        rule: 'fault',
        message: 'no shell',
        stage: 'kernel',
      },
      { verdict: 'miss', culprit: 'product', code: 'boot.timeout', rule: 'device-missing' },
      { verdict: 'error', culprit: 'lab', code: 'board.lost', rule: 'other', message: 'gone' },
    ),
    false,
  ).join('\n')
  assert.match(
    text,
    /FAIL group › test 0\n.*boot\.timeout at the stage "kernel": the product is to blame \(rule: fault\)/,
  )
  assert.match(text, /no shell\n {2}next: wait longer\n {2}a\.spec\.ts:1 · x@y/)
  assert.match(text, /ERROR group › test 2\n.*the lab is to blame, not the product/)
  assert.doesNotMatch(text, /test 1/)
  assert.match(text, /0 passed, 1 failed, 1 errors, 1 missed · 0 boots · 12\.3 s$/)
})
