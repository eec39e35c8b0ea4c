import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository: the nearest folder above this file that has a `labs` folder. */
export function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'labs'))) {
    const parent = dirname(folder)
    if (parent === folder) throw new Error('no folder "labs" above the installed library')
    folder = parent
  }
  return folder
}
