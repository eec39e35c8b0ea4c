import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIB } from '../declare/size.js'
import type { Fault } from '../fault/fault.js'
import { claimMemory, memoryOfBoard } from './memory.js'

const BOARD = 1024 * MIB
const NEEDED = memoryOfBoard(BOARD)

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

test('what one board was promised is not free for the next, which waits until it is let go of', async t => {
  const { claim, waits, waited } = host(t, 2 * NEEDED - 1)
  const first = await claim()
  const waiting = waited()
  const second = claim()
  await waiting
  await first.release()
  await (await second).release()
  assert.equal(waits.length, 1)
  assert.match(waits[0]!, /1\.2G of memory, of which 1\.2G are free/)
})

test('what a board has taken already is not counted twice', async t => {
  // This process has more than 10 MiB for sure.
  const { claim, waits } = host(t, 2 * NEEDED - 10 * MIB)
  const first = await claim()
  await first.usedBy(process.pid)
  const second = await claim()
  assert.deepEqual(waits, [])
  await first.release()
  await second.release()
})

test('a wait can be given up', async t => {
  const { claim, waited } = host(t, NEEDED)
  const first = await claim()
  const stop = new AbortController()
  const waiting = waited()
  const second = claim(stop.signal)
  await waiting
  stop.abort(new Error('no more'))
  await assert.rejects(second, /no more|aborted/)
  await first.release()
  await (await claim()).release()
})

test('the claim of a process that was killed counts no more', async t => {
  const { base, claim } = host(t, NEEDED)
  const module = fileURLToPath(new URL('./memory.js', import.meta.url))
  const script = `import { claimMemory } from ${JSON.stringify(module)}
    const signal = new AbortController().signal
    await claimMemory(${BOARD}, { signal, waiting() {}, available: () => ${NEEDED}, base: ${JSON.stringify(base)} })
    process.stdout.write('claimed')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  child.kill('SIGKILL')
  await once(child, 'exit')
  await (await claim()).release()
  const [ours] = readdirSync(base)
  assert.deepEqual(readdirSync(join(base, ours!, 'memory')), ['lock'])
})
