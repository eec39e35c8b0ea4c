// The counts of a test run. `node setup/tally.mjs sum fast slow` adds up; `forget` takes notes back.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cache } from './root.mjs'

const folder = join(cache, 'test')
const fileOf = part => join(folder, `${part}.tally.json`)

/** Notes what a part of the tests came to; undefined takes an earlier note back, before the part begins. */
export function record(part, counts) {
  mkdirSync(folder, { recursive: true })
  if (counts === undefined) rmSync(fileOf(part), { force: true })
  else writeFileSync(fileOf(part), JSON.stringify(counts))
}

/** What was noted; a part that left no note did not come to its end, which is a failure. */
export function recorded(part) {
  try {
    return JSON.parse(readFileSync(fileOf(part), 'utf8'))
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  }
}

export function sumOf(all) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const counts of all) for (const key of Object.keys(sum)) sum[key] += counts[key] ?? 0
  return sum
}

export function tell({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed${skipped ? `, ${skipped} skipped` : ''}`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, ...parts] = process.argv.slice(2)
  if (command === 'forget') for (const part of parts) record(part, undefined)
  else {
    const sum = sumOf(parts.map(recorded))
    process.stdout.write(`${tell(sum)}\n`)
    process.exitCode = sum.failed > 0 ? 1 : 0
  }
}
