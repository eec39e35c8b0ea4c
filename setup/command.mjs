import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './root.mjs'

const TARGET = '../../dist/harness/cli/main.js'
const link = join(root, 'node_modules/.bin/bootwright')

// npm links the commands of installed packages, not that of the package itself.
export function commandIsLinked() {
  try {
    return readlinkSync(link) === TARGET && (statSync(link).mode & 0o111) === 0o111
  } catch {
    return false
  }
}

/** Makes `npx bootwright` run this clone. */
export function linkCommand() {
  const program = join(dirname(link), TARGET)
  mkdirSync(dirname(link), { recursive: true })
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link)
  symlinkSync(TARGET, link)
  if (existsSync(program)) chmodSync(program, 0o755)
}
