import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { mkdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { formatSize } from '../declare/size.js'
import { identify, isAlive } from '../process/identity.js'
import { lock } from '../process/lock.js'
import { run } from '../process/run.js'
import { full } from '../qemu/overlay.js'

/** Version of what lies in the store, and of how it was made. */
export const SNAPSHOT_FORMAT = 3
const ABOUT = 'snapshot.json'
const PARTIAL = /\.(\d+)-(\d+)\.partial$/
/** Bytes that a state takes at least. */
const LEAST = 64 * 1024 ** 2
/** Bytes that stay free on the disk. */
const SPARE = 512 * 1024 ** 2

const kept = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  name: z.string(),
  about: z.unknown(),
  files: z.array(z.string()),
})

/**
 * Saved states on disk, each in a folder named by the key of all that makes it valid. What is there is whole: it was
 * renamed into place. The least recently used go when all together are larger than `cap` bytes.
 */
export class SnapshotStore {
  constructor(
    readonly folder: string,
    readonly cap: number,
  ) {}

  /** Whether `key` has a state of this name; its files are looked at when they are taken. */
  has(key: string, name: string): boolean {
    return this.#read(key)?.name === name
  }

  /**
   * Unpacks a state into `folder`, and returns what was kept about it.
   *
   * @throws Error that says what is wrong with it; Fault `qemu.disk.full`
   */
  async take(key: string, folder: string): Promise<unknown> {
    const found = this.#read(key)
    if (!found) throw new Error('there is none')
    await mkdir(folder, { recursive: true })
    // Each has a checksum of its content (Zstandard frame format, RFC 8878).
    await Promise.all(
      found.files.map(file =>
        zstd('-d', '--sparse', join(this.folder, key, packed(file)), '-o', join(folder, file)),
      ),
    )
    utimesSync(join(this.folder, key), new Date(), new Date())
    return found.about
  }

  /** Keeps the files of a state that lie in `folder`, packed. @returns why they could not be kept, or undefined */
  async keep(key: string, name: string, about: unknown, folder: string): Promise<string | undefined> {
    const me = identify(process.pid)!
    const partial = join(this.folder, `${key}.${me.pid}-${me.start}.partial`)
    try {
      const files = readdirSync(folder)
      await mkdir(partial, { recursive: true })
      const most = files.reduce((sum, file) => sum + statSync(join(folder, file)).blocks * 512, 0)
      const { bavail, bsize } = await statfs(this.folder)
      if (bavail * bsize < most + SPARE) return `${formatSize(bavail * bsize)} free for ${formatSize(most)}`
      await Promise.all(
        files.map(file =>
          zstd('-1', '-T0', '--check', join(folder, file), '-o', join(partial, packed(file))),
        ),
      )
      const made: z.infer<typeof kept> = { format: SNAPSHOT_FORMAT, name, about, files }
      await writeFile(join(partial, ABOUT), JSON.stringify(made))
      const size = sizeOf(partial)
      if (size > this.cap)
        return `it takes ${formatSize(size)}, and all together may take ${formatSize(this.cap)}`
      this.#makeRoom(size)
      this.discard(key)
      await rename(partial, join(this.folder, key))
      return undefined
    } catch (error) {
      return (error as Error).message
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
  }

  discard(key: string): void {
    rmSync(join(this.folder, key), { recursive: true, force: true })
  }

  making(key: string, signal: AbortSignal, waiting: () => void): Promise<AsyncDisposable> {
    return lock(join(this.folder, `${key}.lock`), signal, waiting)
  }

  #read(key: string): z.infer<typeof kept> | undefined {
    try {
      return kept.parse(JSON.parse(readFileSync(join(this.folder, key, ABOUT), 'utf8')))
    } catch {
      return undefined
    }
  }

  /** Removes what dead processes left, and the least recently used until `size` more bytes fit. */
  #makeRoom(size: number): void {
    const there = readdirSync(this.folder).flatMap(name => {
      const folder = join(this.folder, name)
      const [, pid, start] = PARTIAL.exec(name) ?? []
      if (pid !== undefined) {
        if (!isAlive({ pid: Number(pid), start: start! })) rmSync(folder, { recursive: true, force: true })
        return []
      }
      if (!existsSync(join(folder, ABOUT))) return []
      return [{ name, bytes: sizeOf(folder), used: statSync(folder).mtimeMs }]
    })
    let total = there.reduce((sum, { bytes }) => sum + bytes, size)
    for (const { name, bytes } of there.sort((a, b) => a.used - b.used)) {
      if (total <= this.cap) return
      this.discard(name)
      total -= bytes
    }
  }
}

function packed(file: string): string {
  return `${file}.zst`
}

function sizeOf(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
}

async function zstd(...args: string[]): Promise<void> {
  const env = { ...process.env, LC_ALL: 'C' }
  const { code, stderr } = await run('zstd', ['--quiet', '--force', ...args], { env })
  if (/No space left/.test(stderr)) throw full(args.at(-1)!, 0, LEAST)
  if (code !== 0) throw new Error(stderr.trim().split('\n').at(-1) || `zstd ended with exit code ${code}`)
}
