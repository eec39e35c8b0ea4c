import {
  createReadStream,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
} from 'node:fs'
import { constants, copyFile, mkdir, rename, rm, stat, statfs, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { crc32 } from 'node:zlib'
import { z } from 'zod'
import { formatSize } from '../declare/size.js'
import { identify, isAlive } from '../process/identity.js'
import { lock } from '../process/lock.js'

/** Version of what lies in the store, and of how it was made. */
export const SNAPSHOT_FORMAT = 2
const ABOUT = 'snapshot.json'
const PARTIAL = /\.(\d+)-(\d+)\.partial$/
/** Bytes that stay free on the disk. */
const SPARE = 512 * 1024 ** 2

const kept = z.object({
  format: z.literal(SNAPSHOT_FORMAT),
  name: z.string(),
  about: z.unknown(),
  files: z.array(z.object({ name: z.string(), size: z.number(), crc32: z.number() })),
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
   * Puts the files of a state into the place of `files`, which have the same names, and returns what was kept about it.
   *
   * @throws Error that says what is wrong with it; it is gone then
   */
  async take(key: string, files: readonly string[]): Promise<unknown> {
    const found = this.#read(key)
    if (!found) throw new Error('there is none')
    try {
      for (const file of files) {
        const entry = found.files.find(({ name }) => name === basename(file))
        if (!entry) throw new Error(`it lacks ${basename(file)}`)
        await copyFile(join(this.folder, key, entry.name), file, constants.COPYFILE_FICLONE)
        const { size } = await stat(file)
        if (size !== entry.size) throw new Error(`${entry.name} has ${size} bytes of ${entry.size}`)
        if ((await sumOf(file)) !== entry.crc32) throw new Error(`${entry.name} is damaged`)
      }
      utimesSync(join(this.folder, key), new Date(), new Date())
      return found.about
    } catch (error) {
      this.discard(key)
      throw error
    }
  }

  /** Keeps copies of `files`. @returns why they could not be kept, or undefined */
  async keep(
    key: string,
    name: string,
    about: unknown,
    files: readonly string[],
  ): Promise<string | undefined> {
    const me = identify(process.pid)!
    const partial = join(this.folder, `${key}.${me.pid}-${me.start}.partial`)
    try {
      const size = files.reduce((sum, file) => sum + statSync(file).size, 0)
      await mkdir(partial, { recursive: true })
      this.#makeRoom(size)
      const { bavail, bsize } = await statfs(this.folder)
      if (bavail * bsize < size + SPARE) return `${formatSize(bavail * bsize)} free for ${formatSize(size)}`
      const entries = []
      for (const file of files) {
        const copy = join(partial, basename(file))
        await copyFile(file, copy, constants.COPYFILE_FICLONE)
        entries.push({ name: basename(file), size: statSync(copy).size, crc32: await sumOf(copy) })
      }
      const made: z.infer<typeof kept> = { format: SNAPSHOT_FORMAT, name, about, files: entries }
      await writeFile(join(partial, ABOUT), JSON.stringify(made))
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
      const bytes = readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0)
      return [{ name, bytes, used: statSync(folder).mtimeMs }]
    })
    let total = there.reduce((sum, { bytes }) => sum + bytes, size)
    for (const { name, bytes } of there.sort((a, b) => a.used - b.used)) {
      if (total <= this.cap) return
      this.discard(name)
      total -= bytes
    }
  }
}

async function sumOf(file: string): Promise<number> {
  let sum = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 4 * 1024 ** 2 })) {
    sum = crc32(chunk as Buffer, sum)
  }
  return sum
}
