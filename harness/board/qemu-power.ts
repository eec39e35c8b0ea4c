import { once } from 'node:events'
import { SocketChannel } from '../channel/unix-socket.js'
import { forwardedPort } from '../qemu/forward.js'
import { launchQemu, type QemuEnd, type RunningQemu } from '../qemu/launch.js'
import { ownFiles, type Machine } from '../qemu/machine.js'
import { claimMemory, type MemoryClaim } from '../qemu/memory.js'
import type { QmpEvent } from '../qemu/qmp.js'
import { ResetFilter } from '../qemu/resets.js'
import { launchSaved, saveMachine } from '../qemu/saved-state.js'
import type { BoardEvent, BoardListener, Power, PowerState } from './board.js'
import { notOn, resetSilent, shutdownCut, shutdownLost, shutdownTimeout, startCut } from './power-faults.js'
import { Turns } from './turns.js'

const RESET_LIMIT = 10_000

/**
 * Power of a QEMU board: on is a new QEMU, off kills it. That is what pulling the plug is: what the guest flushed is
 * in the host's page cache by then, what it did not flush may be lost.
 */
export class QemuPower implements Power {
  readonly #machine: Machine
  readonly #listener: BoardListener
  readonly #turns = new Turns()
  #qemu: RunningQemu | undefined
  #sshPort: number | undefined
  #cutting = false
  /** It is switched off, and on again at once. */
  #cycling = false
  /** The QEMU goes, but the board stays on: another takes over. */
  #replacing = false
  #guestOffAt: number | undefined
  /** Why the machine cannot go on, found before it ended. */
  #stuck: string | undefined
  #lastEvent: BoardEvent['kind'] | undefined
  #settled: Promise<void> = Promise.resolve()
  /** Calls of `shutdown`, waiting or still in the queue: cutting the power does not wait for them. */
  readonly #shutdowns = new Set<AbortController>()

  /** Memory of the host that is counted for the board while it is on. */
  #memory: MemoryClaim | undefined
  /** What was let go of counts no more. */
  #released: Promise<void> = Promise.resolve()
  /** A switching-on that waits for memory. */
  #claiming: AbortController | undefined
  readonly #base: string | undefined

  /** @param base of the temporary folders; default the system's */
  constructor(machine: Machine, listener: BoardListener, base?: string) {
    this.#machine = machine
    this.#listener = listener
    this.#base = base
  }

  /** Port of 127.0.0.1 that leads to the guest's port 22, new with each power-on. */
  get sshPort(): number | undefined {
    return this.#sshPort
  }

  get qemu(): RunningQemu | undefined {
    return this.#qemu
  }

  state(): PowerState {
    return this.#qemu ? 'on' : 'off'
  }

  on(): Promise<void> {
    return this.#turns.take(() => this.#start())
  }

  off(): Promise<void> {
    this.#interrupt()
    return this.#turns.take(() => this.#cut())
  }

  cycle(): Promise<void> {
    this.#interrupt()
    return this.#turns.take(async () => {
      this.#cycling = true
      await this.#cut().finally(() => (this.#cycling = false))
      await this.#start()
    })
  }

  reset(): Promise<void> {
    return this.#turns.take(async () => {
      const { qmp, ended } = this.#running('reset')
      const seen = new Promise<void>(resolve => {
        const stop = qmp.onEvent(({ event, data }) => {
          if (event !== 'RESET' || data.guest === true) return
          stop()
          resolve()
        })
      })
      await qmp.execute('system_reset')
      const outcome = await within(RESET_LIMIT, seen, ended)
      if (outcome !== 'done') throw resetSilent(this.#machine.name)
      await afterDeferredEvents()
    })
  }

  /** Saves the running machine into `folder`; it goes on then, whether that worked or not. */
  save(folder: string): Promise<void> {
    return this.#turns.take(async () => {
      const qemu = this.#running('save')
      await qemu.qmp.execute('stop')
      try {
        await saveMachine(qemu, ownFiles(this.#machine), folder)
      } finally {
        await qemu.qmp.execute('cont')
      }
    })
  }

  /** Goes on from what was saved in `folder`, in a new QEMU. When that fails, the power is off. */
  restore(folder: string, state: string): Promise<void> {
    this.#interrupt()
    return this.#turns.take(async () => {
      const wasOn = this.#qemu !== undefined
      this.#replacing = true
      try {
        // The old one goes while the new one comes.
        const [launched, cut] = await Promise.allSettled([this.#launch(folder), this.#cut()])
        this.#replacing = false
        if (launched.status === 'rejected') throw launched.reason
        const qemu = launched.value
        if (cut.status === 'rejected') {
          await qemu.kill()
          throw cut.reason
        }
        await this.#run(qemu, state)
      } catch (error) {
        this.#replacing = false
        if (wasOn && !this.#qemu && this.#lastEvent !== 'power-off') {
          this.#emit({ kind: 'power-off', at: Date.now() })
        }
        throw error
      }
    })
  }

  async shutdown(timeout: number): Promise<void> {
    const interrupted = new AbortController()
    this.#shutdowns.add(interrupted)
    try {
      await this.#turns.take(() => this.#shutdown(timeout, interrupted.signal))
    } finally {
      this.#shutdowns.delete(interrupted)
    }
  }

  /** Off, and never on again. */
  async dispose(): Promise<void> {
    this.#interrupt()
    await this.#turns.close(() => this.#cut())
  }

  #interrupt(): void {
    for (const shutdown of this.#shutdowns) shutdown.abort()
    this.#claiming?.abort(startCut(this.#machine.name))
  }

  async #shutdown(timeout: number, interrupted: AbortSignal): Promise<void> {
    if (!this.#qemu) return
    if (interrupted.aborted) throw shutdownCut(this.#machine.name)
    const { qmp, ended } = this.#qemu
    const cut = once(interrupted, 'abort')
    await qmp.execute('system_powerdown')
    const outcome = await within(timeout, ended, cut)
    if (outcome === 'late') throw shutdownTimeout(this.#machine.name, timeout)
    if (outcome === 'other') throw shutdownCut(this.#machine.name)
    await this.#settled
    if (this.#lastEvent !== 'guest-poweroff') throw shutdownLost(this.#machine.name)
  }

  #running(what: string): RunningQemu {
    if (!this.#qemu) throw notOn(this.#machine.name, what)
    return this.#qemu
  }

  async #start(): Promise<void> {
    if (!this.#qemu) await this.#run(await this.#launch())
  }

  async #launch(saved?: string): Promise<RunningQemu> {
    const memory = (this.#memory ??= await this.#claim())
    const machine = this.#machine
    let qemu: RunningQemu | undefined
    try {
      qemu = await (saved === undefined
        ? launchQemu(machine)
        : launchSaved(machine, ownFiles(machine), saved))
      await memory.usedBy(qemu.pid)
      return qemu
    } catch (error) {
      await qemu?.kill()
      await this.#letMemoryGo()
      throw error
    }
  }

  /** Lets a new machine execute, from a saved state or from its reset. */
  async #run(qemu: RunningQemu, state?: string): Promise<void> {
    this.#cutting = false
    this.#guestOffAt = undefined
    this.#stuck = undefined
    const resets = new ResetFilter(this.#machine.arch)
    // Events wait one turn of the loop, so that what was printed before them is read before them.
    qemu.qmp.onEvent(event => setImmediate(() => this.#onQmp(event, resets, qemu.console.bytesRead)))
    this.#settled = qemu.ended.then(end => this.#onEnd(qemu, end))
    this.#qemu = qemu
    try {
      this.#sshPort = this.#machine.network ? await forwardedPort(qemu.qmp) : undefined
      this.#listener.onConsole(new SocketChannel(qemu.console, `console of ${this.#machine.name}`))
      const at = Date.now()
      this.#emit(state === undefined ? { kind: 'power-on', at } : { kind: 'restore', at, state })
      await qemu.qmp.execute('cont')
    } catch (error) {
      await this.#cut()
      throw error
    }
  }

  async #claim(): Promise<MemoryClaim> {
    await this.#released
    const claiming = (this.#claiming = new AbortController())
    try {
      return await claimMemory(this.#machine.memory, {
        signal: claiming.signal,
        waiting: why => this.#listener.onWait?.(why),
        base: this.#base,
      })
    } finally {
      this.#claiming = undefined
    }
  }

  async #letMemoryGo(): Promise<void> {
    const memory = this.#memory
    this.#memory = undefined
    if (memory) this.#released = memory.release()
    await this.#released
  }

  async #cut(): Promise<void> {
    if (!this.#qemu) return
    this.#cutting = true
    await this.#qemu.kill()
    await this.#settled
  }

  #onQmp({ event, data, at }: QmpEvent, resets: ResetFilter, printed: number): void {
    if (event === 'RESET' && resets.beginsBoot({ event, data, at }, printed)) {
      this.#emit({ kind: 'reset', at, by: data.guest === true ? 'guest' : 'host' })
    } else if (event === 'SHUTDOWN' && data.guest === true) {
      this.#guestOffAt = at
    } else if (event === 'GUEST_PANICKED') {
      this.#emit({ kind: 'guest-panic', at })
    } else if (event === 'BLOCK_IO_ERROR' && data.action === 'stop') {
      // QEMU pauses the guest: from outside that would look like a product that fell silent.
      this.#stuck =
        data.nospace === true ? "the host has no space left for the board's disk" : String(data.reason)
      void this.#qemu?.kill()
    }
  }

  async #onEnd(qemu: RunningQemu, end: QemuEnd): Promise<void> {
    // Somebody reads: give what was printed last a chance to arrive before the news that power is gone.
    if (qemu.console.readableFlowing && !qemu.console.closed) await once(qemu.console, 'close')
    await afterDeferredEvents()
    this.#qemu = undefined
    this.#sshPort = undefined
    if (this.#replacing) return
    // A power cycle goes on with the same memory: others must not get it in between.
    if (!this.#cycling) void this.#letMemoryGo()
    if (this.#cutting) this.#emit({ kind: 'power-off', at: Date.now() })
    else if (this.#guestOffAt !== undefined) this.#emit({ kind: 'guest-poweroff', at: this.#guestOffAt })
    else this.#emit({ kind: 'lost', at: Date.now(), detail: this.#stuck ?? detailOf(end) })
  }

  #emit(event: BoardEvent): void {
    this.#lastEvent = event.kind
    this.#listener.onEvent(event)
  }
}

function detailOf({ code, signal, said }: QemuEnd): string {
  const how = signal ? `was killed by ${signal}` : `ended with exit code ${code}`
  return [`QEMU ${how}`, ...said].join('\n')
}

function afterDeferredEvents(): Promise<void> {
  return new Promise(resolve => setImmediate(() => setImmediate(resolve)))
}

/** Which comes first: `wanted` (done), `other`, or the end of `limit` ms (late). */
async function within(
  limit: number,
  wanted: Promise<unknown>,
  other: Promise<unknown>,
): Promise<'done' | 'other' | 'late'> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<'late'>(resolve => (timer = setTimeout(() => resolve('late'), limit)))
  try {
    return await Promise.race([wanted.then(() => 'done' as const), other.then(() => 'other' as const), late])
  } finally {
    clearTimeout(timer)
  }
}
