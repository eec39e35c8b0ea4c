import assert from 'node:assert/strict'
import { once } from 'node:events'
import { PassThrough, Duplex } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { launchQemu, type RunningQemu } from './launch.js'
import type { Machine } from './machine.js'
import { QmpClient, type QmpEvent } from './qmp.js'

const options = { timeout: 60_000 }

const empty: Machine = {
  name: 'empty',
  arch: 'x86-64',
  memory: 64 * 1024 ** 2,
  cpus: 1,
  accelerator: 'tcg',
  boot: { method: 'none' },
  disks: [],
  network: false,
}

async function paused(t: TestContext): Promise<RunningQemu> {
  const qemu = await launchQemu(empty)
  t.after(() => qemu.kill())
  // The board reads it; here nobody does.
  qemu.console.resume()
  return qemu
}

test('a machine waits for cont, tells its events with their time, and ends when asked', options, async t => {
  const qemu = await paused(t)
  assert.equal((await qemu.qmp.execute<{ status: string }>('query-status')).status, 'prelaunch')
  const events: QmpEvent[] = []
  qemu.qmp.onEvent(event => events.push(event))
  const before = Date.now()
  await qemu.qmp.execute('cont')
  await qemu.qmp.execute('quit')
  assert.deepEqual(await qemu.ended, { code: 0, signal: null, said: [] })
  assert.deepEqual(
    events.map(event => event.event),
    ['RESUME', 'SHUTDOWN'],
  )
  assert.ok(events[0]!.at >= before - 1 && events[0]!.at <= Date.now() + 1)
})

test('answers find their questions, also when several are open', options, async t => {
  const { qmp } = await paused(t)
  const [version, name, chardevs] = await Promise.all([
    qmp.execute<{ qemu: { major: number } }>('query-version'),
    qmp.execute<{ name: string }>('query-name'),
    qmp.execute<{ label: string }[]>('query-chardev'),
  ])
  assert.ok(version.qemu.major >= 5)
  assert.equal(name.name, 'empty')
  assert.deepEqual(chardevs.map(chardev => chardev.label).sort(), ['console', 'qmp'])
})

test('what QEMU refuses comes with its own words', options, async t => {
  const { qmp } = await paused(t)
  await assert.rejects(
    qmp.execute('no-such-command'),
    (e: Fault) => e.code === 'qmp.refused' && /CommandNotFound.*no-such-command/.test(e.seen),
  )
})

test('a question to a killed QEMU fails, before and after', options, async t => {
  const qemu = await paused(t)
  process.kill(qemu.pid, 'SIGSTOP')
  const open = assert.rejects(qemu.qmp.execute('query-status'), (e: Fault) => e.code === 'qmp.closed')
  await qemu.kill()
  await open
  await assert.rejects(qemu.qmp.execute('query-status'), (e: Fault) => e.code === 'qmp.closed')
})

test('a QEMU that does not answer is told as such', options, async t => {
  const qemu = await paused(t)
  process.kill(qemu.pid, 'SIGSTOP')
  await assert.rejects(qemu.qmp.execute('query-status', {}, 20), (e: Fault) => e.code === 'qmp.silent')
})

test('messages may come in any pieces', options, async () => {
  const toClient = new PassThrough()
  const fromClient = new PassThrough()
  const connecting = QmpClient.connect(Duplex.from({ readable: toClient, writable: fromClient }))
  for (const piece of ['{"QM', 'P": {}}\r', '\n']) toClient.write(piece)
  await once(fromClient, 'data')
  toClient.write('{"return": {}, "id": 1}\r\n')
  const client = await connecting
  const answer = client.execute('x')
  await once(fromClient, 'data')
  // The two bytes of one letter, apart.
  const message = Buffer.from('{"return": "\u00e9", "id": 2}\r\n')
  const split = message.indexOf(0xc3) + 1
  toClient.write(message.subarray(0, split))
  toClient.write(message.subarray(split))
  assert.equal(await answer, '\u00e9')
  await client.close()
})
