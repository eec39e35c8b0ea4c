import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { spawnTied } from './tied.js'
import { lock } from './lock.js'

const never = new AbortController().signal

async function inFolder(body: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-lock-'))
  try {
    await body(join(folder, 'deep', 'lock'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('one at a time, and the next one is told that it waits', () =>
  inFolder(async file => {
    const events: string[] = []
    const first = await lock(file, never, () => events.push('first waits'))
    const second = lock(file, never, () => events.push('second waits')).then(held => {
      events.push('second holds')
      return held
    })
    const waiting = AbortSignal.timeout(30_000)
    while (!events.includes('second waits')) {
      waiting.throwIfAborted()
      await new Promise(resolve => setImmediate(resolve))
    }
    events.push('first lets go')
    await first[Symbol.asyncDispose]()
    await (await second)[Symbol.asyncDispose]()
    assert.deepEqual(events, ['second waits', 'first lets go', 'second holds'])
  }))

test('who waits can give up', () =>
  inFolder(async file => {
    await using _ = await lock(file, never, () => {})
    const controller = new AbortController()
    const stop = new Error('enough')
    await assert.rejects(
      lock(file, controller.signal, () => controller.abort(stop)),
      stop,
    )
  }))

test('a killed process holds no lock', () =>
  inFolder(async file => {
    const module = join(import.meta.dirname, 'lock.js')
    const script = `import { lock } from ${JSON.stringify(module)}
      globalThis.held = await lock(${JSON.stringify(file)}, new AbortController().signal, () => {})
      console.log('held'); setInterval(() => {}, 1000)`
    const child = spawnTied(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await once(child.stdout!, 'data')
    child.kill('SIGKILL')
    await using _ = await lock(file, never, () => {})
  }))
