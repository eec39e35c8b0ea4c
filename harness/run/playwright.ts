import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** Path of Playwright's command line, to be run with Node. */
export function playwrightCli(): string {
  const require = createRequire(import.meta.url)
  return join(dirname(require.resolve('@playwright/test/package.json')), 'cli.js')
}
