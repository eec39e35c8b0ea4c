import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { lastAttempt, type RunRecord } from '../record/record.js'
import type { Ended } from './started.js'
import { PANICS, TestProject } from './test-project.js'

const SPEC = `
import { expect, test } from 'bootwright'

for (const name of ['first', 'second', 'third']) {
  test(name, async ({ device }) => {
    await expect(await device.shell()).toRun('true')
  })
}
`

/** Verdict, culprit and code of each test, in their order. */
function verdictsOf(record: RunRecord) {
  return record.tests.map(entry => {
    const { verdict, culprit, code } = lastAttempt(entry).verdict
    return [verdict, culprit, code]
  })
}

function bootsOf(record: RunRecord): number {
  return record.devices.flatMap(device => device.boots).length
}

describe('a boot that fails', () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ small: { 'small.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  describe('in each way', { concurrency: 2 }, () => {
    test('is one failure, carried by the first test, when the kernel panics', async () => {
      // Longer than a test runner waits: the panic itself must end the waiting.
      const ended = await project.run(['run', '--accel', 'tcg', '--defect', PANICS, '--boot-timeout', '3000'])
      const record = recordOf(project, ended)
      assert.deepEqual(verdictsOf(record), [
        ['fail', 'product', 'boot.kernel.panic'],
        ['miss', 'product', 'boot.kernel.panic'],
        ['miss', 'product', 'boot.kernel.panic'],
      ])
      assert.equal(bootsOf(record), 1)
      assert.equal(ended.code, 1)
      const [fault] = record.faults
      assert.equal(record.faults.length, 1)
      assert.ok(
        fault?.evidence?.some(line => /Kernel panic - not syncing|\bpanic\+0x/.test(line)),
        fault?.evidence?.join('\n'),
      )
      const range = lastAttempt(record.tests[0]!).console
      assert.ok(range && range.to > range.from, 'the console of the failed boot belongs to the first test')
      assert.equal(record.images[0]?.variant, PANICS)
      assert.match(ended.output, /1 failed, 2 missed · 1 boot/)
    })

    test('says how far it came when the time runs out', async () => {
      const ended = await project.run(['run', '--accel', 'tcg', '--boot-timeout', '3'])
      const record = recordOf(project, ended)
      const [[verdict, culprit, code] = [], ...others] = verdictsOf(record)
      // On a slow machine nothing may have been printed yet; then nobody can tell whose fault it is.
      assert.ok(
        (code === 'boot.timeout' && culprit === 'product') ||
          (code === 'boot.silent' && culprit === 'undecided'),
        `${code}, ${culprit}`,
      )
      assert.equal(verdict, 'fail')
      assert.deepEqual(others, [
        ['miss', culprit, code],
        ['miss', culprit, code],
      ])
      if (code === 'boot.timeout')
        assert.match(record.faults[0]!.seen, /came as far as "(firmware|hypervisor|kernel|init)"/)
      assert.equal(bootsOf(record), 1)
      assert.equal(ended.code, 1)
    })
  })

  test('leaves nothing behind', async () => {
    assert.deepEqual(await project.leftovers(), [])
  })
})

/** The record of the run that printed `output`: others may have run at the same time. */
function recordOf(project: TestProject, { output }: Ended): RunRecord {
  const run = /report: reports\/([^/]+)\//.exec(output)?.[1]
  assert.ok(run, output)
  return project.record(run)
}
