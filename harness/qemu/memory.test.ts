import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIB } from '../declare/size.js'
import type { Fault } from '../fault/fault.js'
import { launchQemu } from './launch.js'
import type { Machine } from './machine.js'
import { claimMemory, memoryOfBoard } from './memory.js'

const BOARD = 1024 * MIB
const NEEDED = memoryOfBoard(BOARD)
const tiny: Machine = {
  name: 'tiny',
  arch: 'x86-64',
  memory: 64 * MIB,
  cpus: 1,
  accelerator: 'tcg',
  boot: { method: 'none' },
  disks: [],
  network: false,
}

function host(t: TestContext, available: number) {
  const base = mkdtempSync(join(tmpdir(), 'bw-memory-test-'))
  t.after(() => rmSync(base, { recursive: true }))
  const waits: string[] = []
  let onWait = () => {}
  const claim = (signal = new AbortController().signal) =>
    claimMemory(BOARD, {
      signal,
      waiting: why => {
        waits.push(why)
        onWait()
      },
      available: () => available,
      base,
    })
  const waited = () => new Promise<void>(resolve => (onWait = resolve))
  return { base, claim, waits, waited }
}

test('a board that does not fit is refused, with what is needed and what is free', async t => {
  const { claim } = host(t, NEEDED - 1)
  await assert.rejects(claim(), (e: Fault) => {
    assert.deepEqual([e.code, e.culprit], ['qemu.memory.short', 'lab'])
    assert.match(e.expected, /1\.2G/)
    return true
  })
})

test('what another process was promised is not free, and is waited for until that lets go', async t => {
  const { base, claim, waits, waited } = host(t, 2 * NEEDED - 1)
  const other = await holder(base, 2 * NEEDED - 1)
  const waiting = waited()
  const second = claim()
  await waiting
  other.kill('SIGKILL')
  await (await second).release()
  assert.equal(waits.length, 1)
  assert.match(waits[0]!, /1\.2G of memory, of which 1\.2G are free/)
})

test('what this process holds itself is not waited for', async t => {
  const { claim, waits } = host(t, 2 * NEEDED - 1)
  const first = await claim()
  await assert.rejects(claim(), { code: 'qemu.memory.short' })
  await first.release()
  await (await claim()).release()
  assert.deepEqual(waits, [])
})

test('what a board has taken already is not counted twice', async t => {
  const child = spawn('sleep', ['1000'])
  t.after(() => child.kill('SIGKILL'))
  const { claim, waits } = host(t, 2 * NEEDED - 1)
  const first = await claim()
  // It has no guest's memory, so nothing of it is taken yet.
  await first.usedBy(child.pid!)
  await assert.rejects(claim(), { code: 'qemu.memory.short' })
  const qemu = await launchQemu(tiny)
  t.after(() => qemu.kill())
  await writeFile(await qemu.memory(), Buffer.alloc(MIB))
  await first.usedBy(qemu.pid)
  await (await claim()).release()
  assert.deepEqual(waits, [])
  await first.release()
})

test('a wait can be given up', async t => {
  const { base, claim, waited } = host(t, NEEDED)
  const other = await holder(base, NEEDED)
  const stop = new AbortController()
  const waiting = waited()
  const second = claim(stop.signal)
  await waiting
  stop.abort(new Error('no more'))
  await assert.rejects(second, /no more|aborted/)
  other.kill('SIGKILL')
  await once(other, 'exit')
  await (await claim()).release()
})

test('the claim of a process that was killed counts no more', async t => {
  const { base, claim } = host(t, NEEDED)
  const other = await holder(base, NEEDED)
  other.kill('SIGKILL')
  await once(other, 'exit')
  await (await claim()).release()
  const [ours] = readdirSync(base)
  assert.deepEqual(readdirSync(join(base, ours!, 'memory')), ['lock'])
})

/** Another process that holds memory for a board. */
async function holder(base: string, available: number): Promise<ChildProcess> {
  const module = fileURLToPath(new URL('./memory.js', import.meta.url))
  const script = `import { claimMemory } from ${JSON.stringify(module)}
    const signal = new AbortController().signal
    await claimMemory(${BOARD}, { signal, waiting() {}, available: () => ${available}, base: ${JSON.stringify(base)} })
    process.stdout.write('claimed')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  return child
}
