import { readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** The file that the memory of a QEMU's guest is, for as long as that runs (memfd_create(2)). */
export async function guestMemory(pid: number): Promise<string> {
  const folder = `/proc/${pid}/fd`
  for (const name of await readdir(folder)) {
    const file = join(folder, name)
    // A descriptor may close while we look.
    if ((await readlink(file).catch(() => '')).startsWith('/memfd:memory-backend-memfd')) return file
  }
  throw new Error(`QEMU ${pid} has no file for its guest's memory`)
}
