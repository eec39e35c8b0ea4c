import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { root } from './root.mjs'

/** What the reporter noted of a test file with this source; the run is cut short once `until` holds for the note. */
async function countsOf(source, until) {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-count-'))
  try {
    const file = join(folder, 'a.test.mjs')
    writeFileSync(file, `import { test, describe } from 'node:test'\n${source}`)
    const note = join(folder, 'counts.json')
    // The runner marks its children by the environment: one started from a test would think it is one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const reporter = join(root, 'setup/counting-reporter.mjs')
    const runner = spawn(process.execPath, ['--test', `--test-reporter=${reporter}`, file], {
      env: { ...env, BOOTWRIGHT_TEST_COUNTS: note },
      stdio: 'ignore',
    })
    const ended = once(runner, 'close')
    while (until && runner.exitCode === null && !until(noted(note))) await delay(50)
    if (until) runner.kill()
    await ended
    return noted(note)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function noted(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}

test('tests are counted, suites and the tests around failed tests are not', async () => {
  const counts = await countsOf(`
    test('passes', () => {})
    test('skipped', { skip: true }, () => {})
    describe('suite', () => { test('inside', () => {}); test('fails', () => { throw new Error() }) })
    test('around', async t => { await t.test('fails too', () => { throw new Error() }) })
  `)
  assert.deepEqual(counts, { passed: 2, failed: 2, skipped: 1, complete: true })
})

test('a file without a test, one that does not load and one that ends badly count as failed', async () => {
  assert.deepEqual(await countsOf(`console.log('no test here')`), {
    passed: 0,
    failed: 1,
    skipped: 0,
    complete: true,
  })
  assert.deepEqual(await countsOf(`import './missing.mjs'`), {
    passed: 0,
    failed: 1,
    skipped: 0,
    complete: true,
  })
  assert.deepEqual(
    await countsOf(`test('passes', () => {}); process.on('exit', () => { process.exitCode = 3 })`),
    {
      passed: 1,
      failed: 1,
      skipped: 0,
      complete: true,
    },
  )
})

test('a run that is cut short keeps its failures', async () => {
  const counts = await countsOf(
    `test('fails', () => { throw new Error() }); test('hangs', () => new Promise(() => setInterval(() => {}, 1000)))`,
    ({ failed }) => failed === 1,
  )
  assert.deepEqual(counts, { passed: 0, failed: 1, skipped: 0, complete: false })
})
