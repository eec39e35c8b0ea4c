import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '../fault/fault.js'
import { unknownName } from '../fault/usage.js'
import { runOrThrow } from '../process/run.js'
import { playwrightCli } from './playwright.js'
import { RESULTS } from './results.js'

/** The folder of a run, the last one when none is named. @throws Fault `usage.run.*` */
export function findRun(root: string, name: string | undefined): string {
  const reports = join(root, 'reports')
  const runs = existsSync(reports)
    ? readdirSync(reports)
        .filter(run => existsSync(join(reports, run, RESULTS.record)))
        .sort()
    : []
  if (name !== undefined && !runs.includes(name)) throw unknownName('run', name, runs)
  const chosen = name ?? runs.at(-1)
  if (chosen !== undefined) return join(reports, chosen)
  throw new Fault({
    code: 'usage.run.none',
    culprit: 'usage',
    expected: 'a run below reports/',
    seen: 'there is none yet',
    next: 'make one: bootwright run suites/xen',
  })
}

/** A report's first page, and the Node command that shows its folder in a browser. */
export async function reportViewer(
  runFolder: string,
  kind: 'html' | 'allure',
): Promise<{ path: string; command: string[] }> {
  if (kind === 'html') {
    const folder = join(runFolder, RESULTS.html)
    return { path: join(folder, 'index.html'), command: [playwrightCli(), 'show-report', folder] }
  }
  const cli = fileURLToPath(new URL('../../../node_modules/.bin/allure', import.meta.url))
  const folder = join(runFolder, 'allure-report')
  if (!existsSync(folder)) {
    await runOrThrow(
      process.execPath,
      [cli, 'generate', join(runFolder, RESULTS.allure), '--output', folder],
      {
        code: 'report.allure.failed',
        expected: "Allure's report to be made",
        next: `look at ${join(runFolder, RESULTS.allure)}`,
      },
    )
  }
  return { path: join(folder, 'index.html'), command: [cli, 'open', folder] }
}
