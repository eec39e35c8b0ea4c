import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type Culprit } from '../fault/fault.js'
import type { Finding } from './record.js'
import { exitCodeOfRun, judge, type AttemptFacts } from './verdict.js'

const facts = (over: Partial<AttemptFacts>): AttemptFacts => ({
  status: 'failed',
  expectedToFail: false,
  errors: [],
  findings: [],
  ...over,
})
const fault = (culprit: Culprit, code = 'some.code') =>
  new Fault({ code, culprit, expected: 'x', seen: 'seen', next: 'n' }).toJSON()
const panic: Finding = {
  code: 'kernel.panic',
  severity: 'fatal',
  culprit: 'product',
  line: 'Kernel panic',
  offset: 0,
  at: 0,
}

const table: [string, Partial<AttemptFacts>, object][] = [
  ['a pass', { status: 'passed' }, { verdict: 'pass', rule: 'passed' }],
  [
    'a failed assertion is the product',
    { errors: [{ message: 'm', assertion: true }] },
    { verdict: 'fail', culprit: 'product' },
  ],
  [
    'a throw is the test',
    { errors: [{ message: 'm', assertion: false }] },
    { verdict: 'error', culprit: 'test' },
  ],
  [
    'a lab fault is the lab',
    { errors: [{ message: 'm', assertion: true, fault: fault('lab') }] },
    { verdict: 'error', culprit: 'lab' },
  ],
  [
    'a time-out without a fault is the test',
    { status: 'timedOut', errors: [{ message: 'm', assertion: false }] },
    { verdict: 'error', culprit: 'test', code: 'test.timeout' },
  ],
  [
    'a time-out with a product fault is the product',
    { status: 'timedOut', errors: [{ message: 'm', assertion: false, fault: fault('product') }] },
    { verdict: 'fail', culprit: 'product' },
  ],
  [
    'a panic beats the assertion that noticed',
    { errors: [{ message: 'm', assertion: true }], findings: [panic] },
    { code: 'kernel.panic', rule: 'fatal-finding' },
  ],
  [
    'the author beats all',
    { declared: 'lab', errors: [{ message: 'm', assertion: true }], findings: [panic] },
    { verdict: 'error', culprit: 'lab' },
  ],
  [
    'no device: miss, never skip',
    { status: 'skipped', missedFor: fault('product', 'boot.kernel.panic') },
    { verdict: 'miss', culprit: 'product', code: 'boot.kernel.panic' },
  ],
  [
    'gated: skip with its reason',
    { status: 'skipped', skipReason: 'no vxn' },
    { verdict: 'skip', message: 'no vxn' },
  ],
  [
    'not reached: miss, never skip',
    { status: 'skipped', notReached: true },
    { verdict: 'miss', code: 'test.not-reached' },
  ],
  [
    'undecided fails, and says so',
    { errors: [{ message: 'm', assertion: false, fault: fault('undecided') }] },
    { verdict: 'fail', culprit: 'undecided' },
  ],
  ['an expected failure passes', { expectedToFail: true }, { verdict: 'pass' }],
  [
    'an unexpected pass does not',
    { status: 'passed', expectedToFail: true },
    { verdict: 'error', culprit: 'test' },
  ],
]

for (const [name, over, expected] of table) {
  test(name, () => {
    const verdict = judge(facts(over))
    assert.deepEqual({ ...verdict, ...expected }, verdict)
  })
}

test('the exit code is the worst verdict, and nothing run is not green', () => {
  const pass = judge(facts({ status: 'passed' }))
  const product = judge(facts({ errors: [{ message: '', assertion: true }] }))
  const lab = judge(facts({ errors: [{ message: '', assertion: false, fault: fault('lab') }] }))
  const miss = judge(facts({ status: 'skipped', missedFor: fault('product') }))
  const skip = judge(facts({ status: 'skipped' }))
  assert.equal(exitCodeOfRun([pass, skip], false), 0)
  assert.equal(exitCodeOfRun([pass, product], false), 1)
  assert.equal(exitCodeOfRun([product, lab, pass], false), 3)
  assert.equal(exitCodeOfRun([skip], false), 6)
  assert.equal(exitCodeOfRun([], false), 6)
  assert.equal(exitCodeOfRun([product, miss], false), 1)
  assert.equal(exitCodeOfRun([pass], true), 130)
})
