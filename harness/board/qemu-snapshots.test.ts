import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import type { Machine } from '../qemu/machine.js'
import { openQemuBoard, type QemuBoard } from './qemu-board.js'
import { snapshotKey } from './qemu-snapshots.js'
import { SnapshotStore } from './snapshot-store.js'
import { tinyBoard, tinyDevice } from './tiny-device.js'
import { Witness } from './witness.js'

// Every wait here is for an event; only a broken board makes one last.
const options = { timeout: 60_000 }
const GIB = 1024 ** 3

function bench(t: TestContext, cap = GIB) {
  const folder = mkdtempSync(join(tmpdir(), 'bw-snapshots-'))
  const boards: QemuBoard[] = []
  t.after(async () => {
    await Promise.all(boards.map(board => board[Symbol.asyncDispose]()))
    rmSync(folder, { recursive: true })
  })
  const device = tinyDevice(folder)
  const store = new SnapshotStore(join(folder, 'store'), cap)
  return {
    store,
    kept: () => readdirSync(store.folder).filter(name => !name.endsWith('.lock')),
    async board(memory = tinyBoard.memory) {
      const witness = new Witness()
      const board = await openQemuBoard({
        name: 'tiny',
        declaration: { ...tinyBoard, memory },
        artefacts: device,
        accel: 'tcg',
        listener: witness,
        snapshots: store,
        scratch: folder,
      })
      boards.push(board)
      return { board, witness, snapshots: board.snapshots, folder }
    },
  }
}

/** It echoes, and its disk says that it has booted once: the next boot is the second. */
async function isAsAfterTheFirstBoot({ board, witness }: { board: QemuBoard; witness: Witness }) {
  const before = witness.text.length
  await witness.type('e')
  await witness.printed(`${witness.text.slice(0, before)}e`)
  await board.power.reset()
  await witness.printed('boot 2\n')
}

test('a running board goes back to what it was, memory and disk as one', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  assert.equal(await snapshots.save('booted', { shell: 'abc' }), undefined)
  await board.power.reset()
  await witness.printed('boot 2\n')
  await board.power.cycle()
  await witness.printed('boot 3\n')
  witness.text = ''
  assert.deepEqual(await snapshots.restore('booted'), {
    restored: true,
    how: 'in a new QEMU',
    about: { shell: 'abc' },
  })
  assert.equal(witness.events.at(-1)?.kind, 'restore')
  await isAsAfterTheFirstBoot({ board, witness })
})

test('a board that is off goes back in a new QEMU', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('booted', null)
  await witness.type('o')
  await witness.heard('guest-poweroff')
  assert.deepEqual(await snapshots.restore('booted'), { restored: true, how: 'in a new QEMU', about: null })
  assert.deepEqual(witness.kinds(), ['power-on', 'guest-poweroff', 'restore'])
  await isAsAfterTheFirstBoot({ board, witness })
})

test('a state saved again under its name replaces the old one', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('here', 1)
  await board.power.reset()
  await witness.printed('boot 2\n')
  await snapshots.save('here', 2)
  await snapshots.restore('here')
  await board.power.reset()
  await witness.printed('boot 3\n')
})

test('a kept state serves another board, and is made once', options, async t => {
  const { board: make, kept } = bench(t)
  const first = await make()
  await first.board.power.on()
  await first.witness.printed('boot 1\n')
  assert.equal(await first.snapshots.save('booted', { by: 'first' }, { keep: true }), undefined)
  const [entry] = kept()
  await first.snapshots.save('booted', { by: 'nobody' }, { keep: true })
  assert.deepEqual(kept(), [entry])

  const second = await make()
  assert.deepEqual(await second.snapshots.restore('booted'), {
    restored: true,
    how: 'from disk',
    about: { by: 'first' },
  })
  await isAsAfterTheFirstBoot(second)
  assert.equal((await second.snapshots.restore('booted')).restored, true)
  await isAsAfterTheFirstBoot(second)
})

test('a board that differs in its machine has no use for it', options, async t => {
  const { board: make } = bench(t)
  const first = await make()
  await first.board.power.on()
  await first.witness.printed('boot 1\n')
  await first.snapshots.save('booted', null, { keep: true })
  const larger = await make(2 * tinyBoard.memory)
  assert.deepEqual(await larger.snapshots.restore('booted'), { restored: false, why: 'none was saved' })
})

const damages: Record<string, (file: string) => Promise<void>> = {
  truncated: async file => truncateSync(file, statSync(file).size - 1),
  damaged: async file => {
    await using handle = await open(file, 'r+')
    await handle.write(Buffer.from('x'), 0, 1, statSync(file).size >> 1)
  },
}
for (const [how, damage] of Object.entries(damages)) {
  test(
    `a kept state that is ${how} is not used and is gone; the board boots as the image says`,
    options,
    async t => {
      const { board: make, kept, store } = bench(t)
      const first = await make()
      await first.board.power.on()
      await first.witness.printed('boot 1\n')
      await first.snapshots.save('booted', null, { keep: true })
      await damage(join(store.folder, kept()[0]!, 'memory.zst'))

      const { board, witness, snapshots } = await make()
      const outcome = await snapshots.restore('booted')
      assert.match(outcome.restored ? '' : outcome.why, /memory\.zst/)
      assert.deepEqual(kept(), [])
      await board.power.on()
      await witness.printed('boot 1\n')
    },
  )
}

test('storage that is written anew is as the image says; states outlive it', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await board.power.reset()
  await witness.printed('boot 2\n')
  await snapshots.save('second', null)
  await board.reflash()
  witness.text = ''
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.restore('second')
  await board.power.reset()
  await witness.printed('boot 3\n')
})

test('a restored board can be saved again, and both states serve', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('first', null)
  await snapshots.restore('first')
  await board.power.reset()
  await witness.printed('boot 2\n')
  await snapshots.save('second', null)
  for (const [state, next] of [
    ['first', 2],
    ['second', 3],
    ['first', 2],
  ] as const) {
    witness.text = ''
    assert.equal((await snapshots.restore(state)).restored, true)
    await board.power.reset()
    await witness.printed(`boot ${next}\n`)
  }
})

test('a board whose saved memory is gone is off, and boots', options, async t => {
  const { board, witness, snapshots, folder } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('booted', null)
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (file.endsWith('states/1/memory')) rmSync(join(folder, file))
  }
  const outcome = await snapshots.restore('booted')
  assert.equal(outcome.restored, false)
  assert.equal(board.power.state(), 'off')
  assert.equal(witness.events.at(-1)?.kind, 'power-off')
  assert.equal(snapshots.has('booted'), false)
  await board.power.on()
  await witness.printed('boot 2\n')
})

test('what is dropped is dropped alone', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('booted', null, { keep: true })
  await snapshots.save('later', null)
  await snapshots.discard('later')
  assert.deepEqual([snapshots.has('later'), snapshots.has('booted')], [false, true])
  await snapshots.discard('booted')
  assert.equal(snapshots.has('booted'), false)
})

test('a board that is off cannot be saved', options, async t => {
  const { snapshots } = await bench(t).board()
  await assert.rejects(snapshots.save('booted', null), (e: Fault) => e.code === 'power.save.off')
})

test('a state has a key of its own for each image, machine and QEMU', () => {
  const image = { image: 'x', key: 'sha256:1' }
  const machine: Machine = {
    name: 'a',
    arch: 'x86-64',
    memory: GIB,
    cpus: 1,
    accelerator: 'tcg',
    boot: { method: 'none' },
    disks: ['/one/disk'],
    network: false,
  }
  const key = snapshotKey(image, machine, '7.2.0')
  assert.equal(snapshotKey(image, { ...machine, name: 'b', disks: ['/other/disk'] }, '7.2.0'), key)
  const others = [
    snapshotKey({ ...image, key: 'sha256:2' }, machine, '7.2.0'),
    snapshotKey(image, { ...machine, memory: 2 * GIB }, '7.2.0'),
    snapshotKey(image, { ...machine, disks: [] }, '7.2.0'),
    snapshotKey(image, { ...machine, network: true }, '7.2.0'),
    snapshotKey(image, machine, '7.2.1'),
  ]
  assert.equal(new Set([key, ...others]).size, 6)
})

test('without room for a state none is begun, and the board runs on', options, async t => {
  if (userInfo().uid !== 0) return t.skip('a file system of a size of its own takes root')
  const folder = mkdtempSync(join(tmpdir(), 'bw-small-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=80m', 'none', folder])
  const witness = new Witness()
  const board = await openQemuBoard({
    name: 'tiny',
    declaration: tinyBoard,
    artefacts: tinyDevice(folder),
    accel: 'tcg',
    listener: witness,
    scratch: folder,
  })
  t.after(async () => {
    await board[Symbol.asyncDispose]()
    execFileSync('umount', [folder])
    rmSync(folder, { recursive: true })
  })
  await board.power.on()
  await witness.printed('boot 1\n')
  writeFileSync(join(folder, 'filler'), Buffer.alloc(20 * 1024 ** 2))
  await assert.rejects(board.snapshots.save('booted', null), (e: Fault) => e.code === 'qemu.disk.full')
  assert.equal(board.snapshots.has('booted'), false)
  await witness.type('z')
  await witness.printed('boot 1\nz')
})
