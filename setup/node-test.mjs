import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runInOurPlace } from './child.mjs'
import { cache, root } from './root.mjs'

const REPORTS = join(cache, 'test')

/**
 * Runs test files with node:test: readable on the terminal, JUnit in `.cache/test/<name>.xml`.
 *
 * @param {{ name: string, files: string[], concurrency: number, timeout: number, signal?: AbortSignal }} options
 *   timeout: of one test file, in ms
 * @returns {Promise<{ passed: number, failed: number, skipped: number }>} failed is at least 1 when the runner failed
 */
export async function runTestFiles({ name, files, concurrency, timeout, signal }) {
  mkdirSync(REPORTS, { recursive: true })
  const report = join(REPORTS, `${name}.xml`)
  const countsFile = join(REPORTS, `${name}.counts.json`)
  for (const file of [report, countsFile]) rmSync(file, { force: true })
  const code = await runInOurPlace(
    process.execPath,
    [
      '--enable-source-maps',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${timeout}`,
      '--test-reporter=spec',
      '--test-reporter-destination=stdout',
      `--test-reporter=${join(root, 'setup/counting-reporter.mjs')}`,
      `--test-reporter-destination=${report}`,
      ...files,
    ],
    { cwd: root, env: { ...process.env, BOOTWRIGHT_TEST_COUNTS: countsFile }, ...(signal && { signal }) },
  )
  const { complete, ...counts } = existsSync(countsFile)
    ? JSON.parse(readFileSync(countsFile, 'utf8'))
    : { passed: 0, failed: 0, skipped: 0, complete: false }
  const sound = code === 0 && complete && counts.passed + counts.skipped > 0
  // A runner is content with a file that holds no test; one that we stopped has done nothing wrong.
  if (!sound && !signal?.aborted) counts.failed = Math.max(counts.failed, 1)
  return counts
}
