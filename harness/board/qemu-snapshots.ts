import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { cpus } from 'node:os'
import { delimiter, join } from 'node:path'
import { qemuArguments } from '../qemu/arguments.js'
import { qemuProgram } from '../qemu/binary.js'
import type { Machine } from '../qemu/machine.js'
import { checkRoom } from '../qemu/snapshot.js'
import type { Restored, Snapshots } from './board.js'
import type { QemuPower } from './qemu-power.js'
import { SNAPSHOT_FORMAT, type SnapshotStore } from './snapshot-store.js'

interface Options {
  machine: Machine
  power: QemuPower
  /** Folder of the machine's own files. */
  folder: string
  /** Digest of the image; see {@link snapshotKey}. */
  key: string
  /** Where states are kept beyond this board; undefined: nowhere. */
  store: SnapshotStore | undefined
  /** Makes the machine's own files anew. */
  renew(): Promise<void>
}

/** States of a QEMU board: in its own files while it lives, and in a store of states that others can start from. */
export class QemuSnapshots implements Snapshots {
  readonly #options: Options
  /** What is said about the states in the machine's own files, by their names. */
  readonly #own = new Map<string, unknown>()

  constructor(options: Options) {
    this.#options = options
  }

  async save(name: string, about: unknown, { keep = false } = {}): Promise<string | undefined> {
    const { power, store, key, folder, machine } = this.#options
    const { bavail, bsize } = await statfs(folder)
    checkRoom(folder, bavail * bsize, machine.memory)
    let why: string | undefined
    await power.save(name, this.#own.has(name), async () => {
      this.#own.set(name, about)
      if (keep && store && !store.has(key, name)) why = await store.keep(key, name, about, this.#files)
    })
    return why
  }

  async restore(name: string): Promise<Restored> {
    const { power, store, key } = this.#options
    if (this.#own.has(name)) {
      try {
        const how = await power.restore(name)
        return { restored: true, how, about: this.#own.get(name) }
      } catch (error) {
        this.#own.delete(name)
        return { restored: false, why: reason(error) }
      }
    }
    if (!store?.has(key, name)) return { restored: false, why: 'none was saved' }
    try {
      await power.off()
      this.#own.clear()
      const about = await store.take(key, this.#files)
      await power.restore(name)
      this.#own.set(name, about)
      return { restored: true, how: 'from disk', about }
    } catch (error) {
      store.discard(key)
      await this.#options.renew()
      return { restored: false, why: reason(error) }
    }
  }

  /** Whether it is at hand on this board, or kept. */
  has(name: string): boolean {
    const { store, key } = this.#options
    return this.#own.has(name) || (store?.has(key, name) ?? false)
  }

  discard(name: string): void {
    const { store, key } = this.#options
    this.#own.delete(name)
    if (store?.has(key, name)) store.discard(key)
  }

  making(signal: AbortSignal, waiting: () => void): Promise<AsyncDisposable> {
    const { store, key } = this.#options
    return store?.making(key, signal, waiting) ?? Promise.resolve({ [Symbol.asyncDispose]: async () => {} })
  }

  /** The machine's own files are new: there is nothing in them. */
  forget(): void {
    this.#own.clear()
  }

  get #files(): string[] {
    return [this.#options.machine.state!, ...this.#options.machine.disks]
  }
}

/** Digest of all that makes a saved state valid: image, QEMU itself, the machine and how we save it. */
export function snapshotKey(
  image: { image: string; key: string },
  machine: Machine,
  version: string,
): string {
  const { size, mtimeMs } = statSync(programFile(qemuProgram(machine.arch)))
  const parts = {
    format: SNAPSHOT_FORMAT,
    image: image.key,
    qemu: { version, size, mtimeMs },
    processor: machine.accelerator === 'kvm' ? cpus()[0]?.model : undefined,
    // Paths and names of this board mean nothing to the guest.
    arguments: qemuArguments({
      ...machine,
      name: 'board',
      disks: machine.disks.map((_, index) => `disk${index}`),
      state: 'state',
    }),
  }
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return `${image.image}-${machine.arch}-${digest.slice(0, 16)}`
}

function programFile(program: string): string {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    try {
      return realpathSync(join(folder, program))
    } catch {
      // In the next one.
    }
  }
  throw new Error(`${program} is not in PATH`)
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split('\n')[0]! : String(error)
}
