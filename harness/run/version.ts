import { readFileSync } from 'node:fs'

/** Version of this library. */
export function harnessVersion(): string {
  return (
    JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
  ).version
}
