import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import { identify, isAlive } from '../process/identity.js'

const ENTRY = /^qemu-(\d+)-(\d+)-[0-9a-f]+$/

/**
 * Makes a folder of this process's own, `bootwright-<uid>/qemu-<pid>-<start>-<random>` below `base`, and sweeps away
 * those whose owner is dead: an owner that was killed cannot tidy up, whoever comes next does.
 *
 * @throws Fault `qemu.scratch.unusable`, culprit lab
 */
export async function makeScratch(base = tmpdir()): Promise<string> {
  const parent = await ourFolder(base)
  try {
    await sweep(parent)
    const me = identify(process.pid)!
    const folder = join(parent, `qemu-${me.pid}-${me.start}-${randomBytes(4).toString('hex')}`)
    await mkdir(folder, { mode: 0o700 })
    return folder
  } catch (error) {
    throw unusable(parent, (error as Error).message, error)
  }
}

/** `bootwright-<uid>` below `base`, which only this user can read. @throws Fault `qemu.scratch.unusable`, culprit lab */
export async function ourFolder(base = tmpdir()): Promise<string> {
  const { uid } = userInfo()
  const folder = join(base, `bootwright-${uid}`)
  let owner: number
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    owner = (await stat(folder)).uid
  } catch (error) {
    throw unusable(folder, (error as Error).message, error)
  }
  if (owner !== uid) throw unusable(folder, `it belongs to somebody else (user ${owner})`)
  return folder
}

async function sweep(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const owner = ENTRY.exec(name)
    if (!owner || isAlive({ pid: Number(owner[1]), start: owner[2]! })) continue
    await rm(join(parent, name), { recursive: true, force: true })
  }
}

function unusable(folder: string, seen: string, cause?: unknown): Fault {
  return new Fault({
    code: 'qemu.scratch.unusable',
    culprit: 'lab',
    expected: `a temporary folder of our own in ${folder}`,
    seen,
    next: 'free some space and check the permissions, or set TMPDIR to another folder',
    cause,
  })
}
