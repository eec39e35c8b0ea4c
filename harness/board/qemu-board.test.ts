import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Fault } from '../fault/fault.js'
import { identify } from '../process/identity.js'
import { makeScratch } from '../qemu/scratch.js'
import type { Manifest } from '../image/manifest.js'
import { openQemuBoard, type QemuBoard } from './qemu-board.js'
import { tinyBoard, tinyDevice } from './tiny-device.js'
import { Witness } from './witness.js'

// Every wait here is for an event; only a broken board makes one last.
const options = { timeout: 60_000 }

interface Bench {
  board: QemuBoard
  witness: Witness
  scratch: string
  disk: string
}

async function bench(t: TestContext, manifest: Partial<Manifest> = {}): Promise<Bench> {
  const boards: QemuBoard[] = []
  // Hooks run in the order of their making: the board goes before its folder.
  t.after(() => Promise.all(boards.map(board => board[Symbol.asyncDispose]())))
  const scratch = temporary(t)
  const device = tinyDevice(scratch)
  const witness = new Witness()
  const board = await openQemuBoard({
    name: 'tiny',
    declaration: tinyBoard,
    artefacts: { folder: device.folder, manifest: { ...device.manifest, ...manifest } },
    accel: 'tcg',
    listener: witness,
    scratch,
  })
  boards.push(board)
  return { board, witness, scratch, disk: device.disk }
}

function temporary(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'bw-board-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  return folder
}

/** The folders that boards have below `scratch`. */
function left(scratch: string): string[] {
  const ours = readdirSync(scratch).filter(name => name.startsWith('bootwright-'))
  return ours.flatMap(folder => readdirSync(join(scratch, folder)).filter(name => name.startsWith('qemu-')))
}

test('a board boots, keeps its disk over a power cycle, and leaves nothing', options, async t => {
  const { board, witness, scratch, disk } = await bench(t)
  const before = readFileSync(disk)
  assert.equal(board.power.state(), 'off')
  await board.power.on()
  assert.equal(board.power.state(), 'on')
  await witness.printed('boot 1\n')
  const { pid } = board.power.qemu!
  await board.power.cycle()
  await witness.printed('boot 2\n')
  assert.equal(identify(pid), undefined)
  await board.power.off()
  assert.equal(board.power.state(), 'off')
  assert.deepEqual(witness.kinds(), ['power-on', 'power-off', 'power-on', 'power-off'])
  assert.equal(left(scratch).length, 1)
  await board[Symbol.asyncDispose]()
  await board[Symbol.asyncDispose]()
  assert.deepEqual(left(scratch), [])
  assert.deepEqual(readFileSync(disk), before)
})

test('on and off are asked for twice and done once', options, async t => {
  const { board, witness } = await bench(t)
  await Promise.all([board.power.on(), board.power.on()])
  await Promise.all([board.power.off(), board.power.off()])
  assert.deepEqual(witness.kinds(), ['power-on', 'power-off'])
})

test('a reset is told once, whoever caused it', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  await board.power.reset()
  await witness.printed('boot 2\n')
  await witness.type('r')
  await witness.printed('boot 3\n')
  const resets = witness.events.flatMap(event => (event.kind === 'reset' ? [event.by] : []))
  assert.deepEqual(resets, ['host', 'guest'])
})

test(
  'a guest that powers itself off leaves the board off, and it can be switched on again',
  options,
  async t => {
    const { board, witness } = await bench(t)
    await board.power.on()
    await witness.printed('boot 1\n')
    await witness.type('o')
    await witness.heard('guest-poweroff')
    assert.equal(board.power.state(), 'off')
    await board.power.on()
    await witness.printed('boot 2\n')
    assert.deepEqual(witness.kinds(), ['power-on', 'guest-poweroff', 'power-on'])
  },
)

test('the power button shuts the guest down', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  await witness.type('x')
  await witness.printed('boot 1\nx')
  await board.power.shutdown(30_000)
  assert.equal(board.power.state(), 'off')
  assert.equal(witness.events.at(-1)?.kind, 'guest-poweroff')
})

test('a guest that ignores the power button is told so, and its power can still be cut', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  await witness.type('i')
  await witness.printed('boot 1\ni')
  await assert.rejects(board.power.shutdown(50), (e: Fault) => e.code === 'power.shutdown.timeout')
  assert.equal(board.power.state(), 'on')
  const waiting = assert.rejects(board.power.shutdown(60_000), (e: Fault) => e.code === 'power.shutdown.cut')
  await board.power.off()
  await waiting
  assert.equal(board.power.state(), 'off')
})

test('a panic that the guest reports is told, and the guest goes on', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  await witness.type('p')
  await witness.heard('guest-panic')
  await witness.type('z')
  await witness.printed('boot 1\nz')
})

test('a killed QEMU is a lost board, not a switched-off one', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  process.kill(board.power.qemu!.pid, 'SIGKILL')
  await witness.heard('lost')
  assert.equal(board.power.state(), 'off')
  const lost = witness.events.at(-1)!
  assert.match(lost.kind === 'lost' ? lost.detail : '', /SIGKILL/)
  await assert.rejects(
    board.power.reset(),
    (e: Fault) => e.code === 'power.reset.off' && e.culprit === 'test',
  )
})

test('power is cut although QEMU does not answer', options, async t => {
  const { board, witness } = await bench(t)
  await board.power.on()
  await witness.printed('boot 1\n')
  process.kill(board.power.qemu!.pid, 'SIGSTOP')
  await board.power.off()
  assert.deepEqual(witness.kinds(), ['power-on', 'power-off'])
})

test('two boards of one image run side by side, each with its own disk', options, async t => {
  const boards: QemuBoard[] = []
  t.after(() => Promise.all(boards.map(board => board[Symbol.asyncDispose]())))
  const device = tinyDevice(temporary(t))
  const open = async () => {
    const witness = new Witness()
    const board = await openQemuBoard({
      name: 'twin',
      declaration: tinyBoard,
      artefacts: { ...device, manifest: { ...device.manifest, features: ['ssh'] } },
      accel: 'tcg',
      listener: witness,
    })
    boards.push(board)
    await board.power.on()
    await witness.printed('boot 1\n')
    return board
  }
  const [one, other] = await Promise.all([open(), open()])
  const ports = [one.describe().sshPort, other.describe().sshPort]
  assert.ok(ports.every(port => typeof port === 'number' && port > 0))
  assert.notEqual(ports[0], ports[1])
})

test('without a promised network there is no network card', options, async t => {
  const { board } = await bench(t)
  await board.power.on()
  assert.equal(board.describe().sshPort, undefined)
  assert.ok(!board.power.qemu!.commandLine.includes('-nic'))
})

test('a QEMU that refuses to start says why', options, async t => {
  const { board } = await bench(t, {
    boot: { method: 'kernel', kernel: 'no-such-kernel', append: '', disks: [] },
  })
  await assert.rejects(
    board.power.on(),
    (e: Fault) => e.code === 'qemu.refused' && e.culprit === 'lab' && /no-such-kernel/.test(e.seen),
  )
  assert.equal(board.power.state(), 'off')
})

test('an incomplete image is told before power-on, and leaves nothing', options, async t => {
  const scratch = temporary(t)
  const device = tinyDevice(scratch)
  rmSync(device.disk)
  await assert.rejects(
    openQemuBoard({
      name: 'tiny',
      declaration: tinyBoard,
      artefacts: device,
      accel: 'tcg',
      listener: new Witness(),
      scratch,
    }),
    (e: Fault) => e.code === 'qemu.disk.overlay',
  )
  assert.deepEqual(left(scratch), [])
})

test('an image for another processor is refused', options, async t => {
  await assert.rejects(bench(t, { arch: 'arm64' }), (e: Fault) => e.code === 'board.image.arch')
})

test('a disposed board refuses to be switched on', options, async t => {
  const { board } = await bench(t)
  await board.power.on()
  await board[Symbol.asyncDispose]()
  await assert.rejects(board.power.on(), (e: Fault) => e.code === 'board.disposed')
})

test('killing the owner takes its QEMU with it, and the next one sweeps its folder', options, async t => {
  const scratch = temporary(t)
  const script = fileURLToPath(new URL('./tiny-owner.js', import.meta.url))
  const owner = spawn(process.execPath, [script, scratch], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = (await once(owner.stdout, 'data')) as [Buffer]
  const qemu = identify(Number(printed.toString()))
  assert.ok(qemu)
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  await gone(qemu.pid)
  assert.equal(left(scratch).length, 1)
  await makeScratch(scratch)
  assert.deepEqual(
    left(scratch).map(name => name.split('-')[1]),
    [String(process.pid)],
  )
})

/** The process is not our child, so its end is seen only by looking. */
async function gone(pid: number): Promise<void> {
  while (identify(pid)) await new Promise(resolve => setTimeout(resolve, 5))
}
