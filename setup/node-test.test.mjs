import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { countsIn } from './counting-reporter.mjs'
import { root } from './root.mjs'

function countsOf(source) {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-count-'))
  try {
    const file = join(folder, 'a.test.mjs')
    writeFileSync(file, `import { test, describe } from 'node:test'\n${source}`)
    const report = join(folder, 'report.xml')
    // The runner marks its children by the environment: one started from a test would think it is one.
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const reporter = join(root, 'setup/counting-reporter.mjs')
    spawnSync(
      process.execPath,
      ['--test', `--test-reporter=${reporter}`, `--test-reporter-destination=${report}`, file],
      { env },
    )
    return countsIn(readFileSync(report, 'utf8'))
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('tests are counted, suites and the tests around failed tests are not', () => {
  const counts = countsOf(`
    test('passes', () => {})
    test('skipped', { skip: true }, () => {})
    describe('suite', () => { test('inside', () => {}); test('fails', () => { throw new Error() }) })
    test('around', async t => { await t.test('fails too', () => { throw new Error() }) })
  `)
  assert.deepEqual(counts, { passed: 2, failed: 2, skipped: 1 })
})

test('a file without a test, one that does not load and one that ends badly count as failed', () => {
  assert.deepEqual(countsOf(`console.log('no test here')`), { passed: 0, failed: 1, skipped: 0 })
  assert.deepEqual(countsOf(`import './missing.mjs'`), { passed: 0, failed: 1, skipped: 0 })
  assert.deepEqual(countsOf(`test('passes', () => {}); process.on('exit', () => { process.exitCode = 3 })`), {
    passed: 1,
    failed: 1,
    skipped: 0,
  })
})

test('a report that was cut short holds no counts', () => {
  assert.equal(countsIn('<?xml version="1.0"?>\n<testsuites>\n'), undefined)
})
