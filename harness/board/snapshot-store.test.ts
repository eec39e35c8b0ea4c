import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, watch, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { SnapshotStore } from './snapshot-store.js'

const GIB = 1024 ** 3

function bench(t: TestContext, cap = GIB) {
  const folder = mkdtempSync(join(tmpdir(), 'bw-store-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const store = new SnapshotStore(join(folder, 'store'), cap)
  mkdirSync(store.folder)
  const state = join(folder, 'state')
  mkdirSync(state)
  const file = join(state, 'memory')
  // Of chance, which does not get smaller by packing.
  writeFileSync(file, randomBytes(1000))
  return { store, state, file, taken: join(folder, 'taken'), kept: () => readdirSync(store.folder).sort() }
}

test('the least recently used states go when all together are too large; what dead processes left goes too', async t => {
  const { store, state, taken, kept } = bench(t, 2800)
  mkdirSync(join(store.folder, 'x.999999999-1.partial'))
  assert.equal(await store.keep('a', 's', null, state), undefined)
  assert.equal(await store.keep('b', 's', null, state), undefined)
  assert.deepEqual(kept(), ['a', 'b'])
  assert.equal(await store.take('a', taken), null)
  assert.equal(await store.keep('c', 's', null, state), undefined)
  assert.deepEqual(kept(), ['a', 'c'])
})

test('a process that is killed while it keeps a state leaves none, and the next one tidies up', async t => {
  const { store, state, file, kept } = bench(t)
  // Large enough that it is still being packed when the kill comes.
  truncateSync(file, 4 * GIB)
  const watcher = watch(store.folder)
  t.after(() => watcher.close())
  const begun = once(watcher, 'change')
  const module = fileURLToPath(new URL('./snapshot-store.js', import.meta.url))
  const script = `import { SnapshotStore } from ${JSON.stringify(module)}
    const store = new SnapshotStore(${JSON.stringify(store.folder)}, ${GIB})
    await store.keep('a', 's', null, ${JSON.stringify(state)})`
  const owner = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' })
  await begun
  owner.kill('SIGKILL')
  await once(owner, 'exit')
  assert.match(kept().join(), /^a\.\d+-\d+\.partial$/)
  assert.equal(store.has('a', 's'), false)
  truncateSync(file, 1000)
  assert.equal(await store.keep('a', 's', null, state), undefined)
  assert.deepEqual(kept(), ['a'])
})

test('on a disk that is too full nothing is kept, and the reason is told', async t => {
  if (userInfo().uid !== 0) return t.skip('a file system of a size of its own takes root')
  const { store, state, kept } = bench(t)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'none', store.folder])
  try {
    assert.match((await store.keep('a', 's', null, state))!, /free for/)
    assert.deepEqual(kept(), [])
  } finally {
    execFileSync('umount', [store.folder])
  }
})
