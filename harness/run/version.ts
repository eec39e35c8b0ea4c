import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Version of this library. */
export function harnessVersion(root: string): string {
  return (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }).version
}
