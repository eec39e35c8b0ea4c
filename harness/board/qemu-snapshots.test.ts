import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { openQemuBoard, type QemuBoard } from './qemu-board.js'
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
      return { board, witness, snapshots: board.snapshots! }
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
      await damage(join(store.folder, kept()[0]!, 'state.qcow2'))

      const { board, witness, snapshots } = await make()
      const outcome = await snapshots.restore('booted')
      assert.match(outcome.restored ? '' : outcome.why, /^state\.qcow2 (has \d+ bytes of|is damaged)/)
      assert.deepEqual(kept(), [])
      await board.power.on()
      await witness.printed('boot 1\n')
    },
  )
}

test('storage that is written anew has no states, and is as the image says', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('booted', null)
  await board.reflash()
  assert.deepEqual(await snapshots.restore('booted'), { restored: false, why: 'none was saved' })
  await board.power.on()
  await witness.printed('boot 1\n')
})

test('what is dropped is dropped alone', options, async t => {
  const { board, witness, snapshots } = await bench(t).board()
  await board.power.on()
  await witness.printed('boot 1\n')
  await snapshots.save('booted', null, { keep: true })
  await snapshots.save('later', null)
  snapshots.discard('later')
  assert.deepEqual([snapshots.has('later'), snapshots.has('booted')], [false, true])
  snapshots.discard('booted')
  assert.equal(snapshots.has('booted'), false)
})

test('a board that is off cannot be saved', options, async t => {
  const { snapshots } = await bench(t).board()
  await assert.rejects(snapshots.save('booted', null), (e: Fault) => e.code === 'power.save.off')
})

test('the least recently used states go when all together are too large; what dead processes left goes too', async t => {
  const { store, kept } = bench(t, 2500)
  const file = join(store.folder, '..', 'state.qcow2')
  writeFileSync(file, Buffer.alloc(1000))
  mkdirSync(join(store.folder, 'x.999999999-1.partial'), { recursive: true })
  assert.equal(await store.keep('a', 's', null, [file]), undefined)
  assert.equal(await store.keep('b', 's', null, [file]), undefined)
  assert.deepEqual(kept().sort(), ['a', 'b'])
  await store.take('a', [file])
  assert.equal(await store.keep('c', 's', null, [file]), undefined)
  assert.deepEqual(kept().sort(), ['a', 'c'])
})
