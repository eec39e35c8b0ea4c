import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { lastAttempt } from '../record/record.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'bootwright'

test.use({ isolation: 'fresh' })
for (const nth of [1, 2, 3]) {
  test('fresh ' + nth, async ({ device }) => {
    const shell = await device.shell()
    await expect(shell).toRun('cat /var/mark 2>/dev/null || echo none; echo marked >/var/mark; sync', { output: 'none' })
    const seconds = Number(await shell.check('date +%s'))
    expect(Math.abs(seconds - Date.now() / 1000), 'clock').toBeLessThan(20)
    const socket = connect(device.sshPort, '127.0.0.1')
    const [banner] = await once(socket, 'data')
    socket.destroy()
    expect(String(banner)).toMatch(/^SSH-2/)
    const xen = await device.xen()
    await expect.poll(async () => (await xen.list()).length, { timeout: 60_000 }).toBeGreaterThan(1)
  })
}
`

describe('fresh devices with a disk, a network, systemd and running guests', () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ small: { 'small.spec.ts': SPEC } }, { image: 'xen-dom0' })
  })
  after(() => project[Symbol.dispose]())

  test('each starts from the booted state, and its forwards lead to it', async () => {
    const env = project.withoutSavedStates()
    const { code, output } = await project.run(['run', '--accel', 'tcg'], env)
    assert.equal(code, 0, output)
    const record = project.record()
    assert.deepEqual(
      record.tests.map(entry => lastAttempt(entry).prepared?.done),
      ['booted', 'restored in a new QEMU', 'restored in a new QEMU'],
      output,
    )
    assert.deepEqual(
      record.faults.map(({ code: why }) => why),
      [],
    )
  })
})
