import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { identify, isAlive } from './identity.js'
import { run } from './run.js'

test('collects output and exit code, and feeds the input', async () => {
  const { code, stdout, stderr } = await run('sh', ['-c', 'cat; echo no >&2; exit 3'], { input: 'yes' })
  assert.deepEqual([code, stdout.toString(), stderr], [3, 'yes', 'no\n'])
})

test('a program that is not installed is a fault that names it', async () => {
  await assert.rejects(run('no-such-program', []), (error: Fault) => {
    assert.equal(error.code, 'process.missing')
    assert.match(error.seen, /^no-such-program /)
    return true
  })
})

test('without setpriv the fault names setpriv', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bw-empty-'))
  try {
    await assert.rejects(run('true', [], { env: { PATH: folder } }), (error: Fault) => {
      assert.equal(error.code, 'process.missing')
      assert.match(error.seen, /^setpriv /)
      return true
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('an abort ends the program and throws its reason', async () => {
  const controller = new AbortController()
  const running = run('sleep', ['600'], { signal: controller.signal })
  controller.abort(new Error('enough'))
  await assert.rejects(running, /enough/)
})

for (const [deathSignal, name] of [
  ['KILL', 'is killed'],
  ['INT', 'is interrupted'],
] as const) {
  test(`what is tied ${name} when its starter is killed`, { timeout: 30_000 }, async () => {
    const script = `
      import { spawnTied } from ${JSON.stringify(new URL('./tied.js', import.meta.url).href)}
      const child = spawnTied('sleep', ['600'], { stdio: 'ignore', deathSignal: '${deathSignal}' })
      child.once('spawn', () => console.log(child.pid))`
    const starter = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [printed] = (await once(starter.stdout, 'data')) as [Buffer]
    const sleeper = identify(Number(printed.toString()))
    assert.ok(sleeper)
    starter.kill('SIGKILL')
    await once(starter, 'exit')
    while (isAlive(sleeper)) await new Promise(resolve => setTimeout(resolve, 20))
  })
}
