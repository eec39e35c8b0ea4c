import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * The project: the nearest folder at or above the current one with `labs` and `suites` in it; this repository itself when
 * there is none.
 */
export function repositoryRoot(cwd = process.cwd()): string {
  const root = above(cwd) ?? above(dirname(fileURLToPath(import.meta.url)))
  if (root === undefined) throw new Error('no folder with "labs" and "suites" above the installed library')
  return root
}

function above(start: string): string | undefined {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'labs')) && existsSync(join(folder, 'suites'))) return folder
    if (dirname(folder) === folder) return undefined
  }
}
