import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import { orMissing } from './binary.js'

const LEAST_FREE = 64 * 1024 ** 2

/** A disk as an image delivers it, never written to; `file` is absolute. */
export interface BaseDisk {
  file: string
  format: 'raw' | 'qcow2'
}

/**
 * Makes a throw-away qcow2 overlay over each disk, in `folder`, and returns their paths.
 *
 * @throws Fault `qemu.disk.full`, `qemu.disk.overlay`, `qemu.missing`
 */
export async function makeOverlays(disks: readonly BaseDisk[], folder: string): Promise<string[]> {
  if (disks.length === 0) return []
  const { bavail, bsize } = await statfs(folder)
  if (bavail * bsize < LEAST_FREE) throw full(folder, bavail * bsize, LEAST_FREE)
  return Promise.all(disks.map((disk, index) => makeOverlay(disk, join(folder, `disk${index}.qcow2`))))
}

async function makeOverlay(base: BaseDisk, file: string): Promise<string> {
  const args = ['create', '-q', '-f', 'qcow2', '-F', base.format, '-b', base.file, file]
  const made = await orMissing('qemu-img', 'qemu-utils', run('qemu-img', args))
  if (made.code === 0) return file
  throw new Fault({
    code: 'qemu.disk.overlay',
    culprit: 'lab',
    expected: `a throw-away overlay over ${base.file}`,
    seen: made.stderr.trim() || `qemu-img ended with exit code ${made.code}`,
    next: 'check that the image is complete (bootwright build) and that the temporary folder is writable',
  })
}

export function full(folder: string, free: number, needed: number): Fault {
  return new Fault({
    code: 'qemu.disk.full',
    culprit: 'lab',
    expected: `at least ${Math.ceil(needed / 1024 ** 2)} MiB free for the board's files in ${folder}`,
    seen: `${Math.floor(free / 1024 ** 2)} MiB free`,
    next: 'free some space, or set TMPDIR to a folder that has it',
  })
}
