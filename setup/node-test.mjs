import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { runInOurPlace } from './child.mjs'
import { countsIn } from './counting-reporter.mjs'
import { cache, root } from './root.mjs'

const REPORTS = join(cache, 'test')
const NOTHING = { passed: 0, failed: 0, skipped: 0 }

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
  rmSync(report, { force: true })
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
    { cwd: root, ...(signal && { signal }) },
  )
  const counts = (existsSync(report) && countsIn(readFileSync(report, 'utf8'))) || { ...NOTHING }
  if (code === 0 && counts.passed + counts.failed + counts.skipped > 0) return counts
  // A file with no test in it leaves the runner content; a runner cut short leaves no counts.
  return { ...counts, failed: Math.max(counts.failed, signal?.aborted ? 0 : 1) }
}
