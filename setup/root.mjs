import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** What set-up, linter and tests keep between runs; safe to delete at any time. */
export const cache = join(root, '.cache')
