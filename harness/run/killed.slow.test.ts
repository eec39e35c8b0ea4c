import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { lastAttempt, type RunRecord } from '../record/record.js'
import type { Started } from './started.js'
import { TestProject } from './test-project.js'

const WAIT = `await device.console.expect('what nobody prints', { timeout: 500_000 })`
const SPEC = `
import { expect, test } from 'bootwright'
test.setTimeout(600_000)

test('before', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
test('loses its QEMU', async ({ device }) => {
  process.stdout.write('kill the QEMU\\n')
  ${WAIT}
})
test('between', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
test('loses its session', async ({ device }) => {
  process.stdout.write('kill the session\\n')
  ${WAIT}
})
test('afterwards', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
`

describe('whatever is killed', () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ all: { 'all.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  /** SIGKILL for the one process of the project whose command line matches. */
  const kill = (command: RegExp) => {
    const found = project.processes().filter(candidate => command.test(candidate.command))
    assert.equal(found.length, 1, found.map(candidate => candidate.command).join('\n'))
    process.kill(found[0]!.pid, 'SIGKILL')
  }
  const verdictsOf = (record: RunRecord) =>
    record.tests.map(entry => {
      const { verdict, culprit, code } = lastAttempt(entry).verdict
      return [entry.title.at(-1), verdict, culprit, code]
    })
  const start = (): Started => project.start(['run', '--accel', 'tcg'])
  const onlyFirst = (): Started =>
    project.start(['run', '--accel', 'tcg', '--title', 'before|loses its QEMU'])

  test('a QEMU, then the session, in mid-test: the fault is not laid on the product, and the next test has a device', async () => {
    const run = start()
    await run.printed(/kill the QEMU/)
    kill(/^qemu-system/)
    await run.printed(/kill the session/)
    kill(/session\/main\.js/)
    const { code, output } = await run.ended
    const record = project.record()
    assert.deepEqual(
      verdictsOf(record),
      [
        ['before', 'pass', undefined, undefined],
        ['loses its QEMU', 'error', 'lab', 'board.lost'],
        ['between', 'pass', undefined, undefined],
        ['loses its session', 'error', 'harness', 'harness.session.lost'],
        ['afterwards', 'pass', undefined, undefined],
      ],
      output,
    )
    assert.equal(code, EXIT.harness)
    assert.deepEqual(
      record.devices.map(device => device.boots.map(boot => boot.end)),
      [['lost', undefined], ['power-cut']],
    )
    assert.deepEqual(await project.leftovers(), [])
  })

  test('Ctrl-C while it boots: the boards go off, the record says so', async () => {
    const run = start()
    await run.printed(/^ +booting$/m)
    run.interrupt()
    const { code, output } = await run.ended
    assert.equal(code, EXIT.interrupted, output)
    assert.equal(project.record().interrupted, true)
    assert.deepEqual(await project.leftovers(), [])
  })

  test('the test runner: nothing stays, and it is no failure of the product', async () => {
    const run = onlyFirst()
    await run.printed(/kill the QEMU/)
    kill(/playwright\S* test /)
    const { code } = await run.ended
    assert.equal(code, EXIT.harness)
    assert.deepEqual(await project.leftovers(), [])
  })

  test('the command line: the run ends as if it was interrupted, with its record', async () => {
    const run = onlyFirst()
    await run.printed(/kill the QEMU/)
    process.kill(run.pid, 'SIGKILL')
    await run.ended
    assert.deepEqual(await project.leftovers(), [])
    assert.equal(project.record().interrupted, true)
  })
})
