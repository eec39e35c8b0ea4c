import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { lastAttempt } from '../record/record.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { expect, test } from 'bootwright'

test('first', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
test('second', async ({ device }) => {
  test.setTimeout(600_000)
  process.stdout.write('in the middle\\n')
  await device.console.expect('what nobody prints', { timeout: 500_000 })
})
test('third', async ({ device }) => {
  await device.shell()
})
`

describe('Ctrl-C', { concurrency: 2 }, () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ long: { 'long.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  test('while an image is built', async () => {
    using other = TestProject.create({ long: { 'long.spec.ts': SPEC } })
    other.write('images/xen-dom0-tiny/dom0/etc/different', `${process.pid} ${Date.now()}`)
    const run = other.start(['run', '--accel', 'tcg'])
    await run.printed(/waiting for another build|putting the file systems together/)
    run.interrupt()
    const { code, output } = await run.ended
    assert.equal(code, EXIT.interrupted, output)
    assert.match(output, /^interrupted$/m)
    assert.deepEqual(await other.leftovers(), [])
  })

  test('in the middle of a test', async () => {
    const run = project.start(['run', '--accel', 'tcg'])
    await run.printed(/in the middle/)
    run.interrupt()
    const { code, output } = await run.ended
    assert.equal(code, EXIT.interrupted, output)
    const record = project.record()
    assert.equal(record.interrupted, true)
    assert.equal(record.exitCode, EXIT.interrupted)
    assert.deepEqual(
      record.tests.map(entry => [
        entry.title.at(-1),
        lastAttempt(entry).verdict.verdict,
        lastAttempt(entry).verdict.code,
      ]),
      [
        ['first', 'pass', undefined],
        ['second', 'miss', 'run.interrupted'],
        ['third', 'miss', 'run.interrupted'],
      ],
    )
    assert.deepEqual(
      record.devices.map(device => device.boots.map(boot => boot.end)),
      [['power-cut']],
    )
    assert.deepEqual(await project.leftovers(), [])
  })
})
