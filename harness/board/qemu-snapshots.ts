import { createHash } from 'node:crypto'
import { realpathSync, statSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { cpus } from 'node:os'
import { delimiter, join } from 'node:path'
import { Fault } from '../fault/fault.js'
import { qemuArguments } from '../qemu/arguments.js'
import { qemuProgram } from '../qemu/binary.js'
import type { Machine } from '../qemu/machine.js'
import type { Restored, Snapshots } from './board.js'
import type { QemuPower } from './qemu-power.js'
import { SNAPSHOT_FORMAT, type SnapshotStore } from './snapshot-store.js'

interface Options {
  power: QemuPower
  /** Where this board's own states go, each in a folder. */
  folder: string
  /** Digest of the image; see {@link snapshotKey}. */
  key: string
  /** Where states are kept beyond this board; undefined: nowhere. */
  store: SnapshotStore | undefined
}

interface Saved {
  folder: string
  about: unknown
}

/** States of a QEMU board: in folders of its own while it lives, and in a store of states that others can start from. */
export class QemuSnapshots implements Snapshots {
  readonly #options: Options
  readonly #own = new Map<string, Saved>()
  #made = 0

  constructor(options: Options) {
    this.#options = options
  }

  async save(name: string, about: unknown, { keep = false } = {}): Promise<string | undefined> {
    const { power, store, key } = this.#options
    const saved = { folder: this.#nextFolder(), about }
    try {
      await power.save(saved.folder)
    } catch (error) {
      await rm(saved.folder, { recursive: true, force: true })
      throw error
    }
    await this.#forget(name)
    this.#own.set(name, saved)
    return keep && store && !store.has(key, name) ? store.keep(key, name, about, saved.folder) : undefined
  }

  async restore(name: string): Promise<Restored> {
    const { power, store, key } = this.#options
    const own = this.#own.get(name)
    if (own) {
      try {
        await power.restore(own.folder, name)
        return { restored: true, how: 'in a new QEMU', about: own.about }
      } catch (error) {
        if (isItsOwn(error)) await this.#forget(name)
        return { restored: false, why: reason(error) }
      }
    }
    if (!store?.has(key, name)) return { restored: false, why: 'none was saved' }
    const folder = this.#nextFolder()
    try {
      const about = await store.take(key, folder)
      await power.restore(folder, name)
      this.#own.set(name, { folder, about })
      return { restored: true, how: 'from disk', about }
    } catch (error) {
      if (isItsOwn(error)) store.discard(key)
      await rm(folder, { recursive: true, force: true })
      return { restored: false, why: reason(error) }
    }
  }

  /** Whether it is at hand on this board, or kept. */
  has(name: string): boolean {
    const { store, key } = this.#options
    return this.#own.has(name) || (store?.has(key, name) ?? false)
  }

  async discard(name: string): Promise<void> {
    const { store, key } = this.#options
    await this.#forget(name)
    if (store?.has(key, name)) store.discard(key)
  }

  making(signal: AbortSignal, waiting: () => void): Promise<AsyncDisposable> {
    const { store, key } = this.#options
    return store?.making(key, signal, waiting) ?? Promise.resolve({ [Symbol.asyncDispose]: async () => {} })
  }

  #nextFolder(): string {
    return join(this.#options.folder, String(++this.#made))
  }

  async #forget(name: string): Promise<void> {
    const saved = this.#own.get(name)
    this.#own.delete(name)
    if (saved) await rm(saved.folder, { recursive: true, force: true })
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
    }),
  }
  const digest = createHash('sha256').update(JSON.stringify(parts)).digest('hex')
  return `${image.image}-${machine.arch}-${digest.slice(0, 16)}`
}

/** Whether it is the state that does not serve, rather than the host that has no room for it. */
function isItsOwn(error: unknown): boolean {
  return !(error instanceof Fault) || error.code === 'qemu.snapshot.refused'
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
