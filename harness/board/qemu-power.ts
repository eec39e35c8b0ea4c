import { once } from 'node:events'
import { SocketChannel } from '../channel/unix-socket.js'
import { forwardedPort } from '../qemu/forward.js'
import { launchQemu, type QemuEnd, type RunningQemu } from '../qemu/launch.js'
import type { Machine } from '../qemu/machine.js'
import { claimMemory, type MemoryClaim } from '../qemu/memory.js'
import type { QmpClient, QmpEvent } from '../qemu/qmp.js'
import { ResetFilter } from '../qemu/resets.js'
import { MachineStates } from '../qemu/snapshot.js'
import type { BoardEvent, BoardListener, Power, PowerState } from './board.js'
import { notOn, resetSilent, shutdownCut, shutdownLost, shutdownTimeout, startCut } from './power-faults.js'
import { Turns } from './turns.js'

const RESET_LIMIT = 10_000
/** Ms that QEMU has to stand still; one that hangs is killed. */
const STOP_LIMIT = 2_000

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
      await this.#cut()
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

  /** Saves the running machine, in place of what has that name; `beside` works on its files while it stands still. */
  save(name: string, isThere: boolean, beside: () => Promise<void>): Promise<void> {
    return this.#turns.take(async () => {
      const { qmp } = this.#running('save')
      const states = this.#statesOf(qmp)
      await qmp.execute('stop')
      try {
        if (isThere) await states.remove(name)
        await states.save(name)
        await beside()
      } finally {
        await qmp.execute('cont')
      }
    })
  }

  /** Goes on from a saved state, in the QEMU that runs or in a new one. When that fails, the power is off. */
  restore(name: string): Promise<'in place' | 'in a new QEMU'> {
    this.#interrupt()
    return this.#turns.take(async () => {
      if (this.#qemu && this.#goesBackInTime()) {
        await this.#reload(this.#qemu.qmp, name)
        return 'in place'
      }
      await this.#replace(name)
      return 'in a new QEMU'
    })
  }

  /**
   * Emulating x86, QEMU keeps the time stamp counter from going back in one process: a guest would find that all the time
   * since the state was saved has passed at once, and its watchdogs would bite.
   */
  #goesBackInTime(): boolean {
    return this.#machine.accelerator === 'kvm' || this.#machine.arch === 'arm64'
  }

  /** A machine that stands still has written all it holds of its files: the new one opens them while the old one goes. */
  async #replace(state: string): Promise<void> {
    const old = this.#qemu
    const still = old && (await within(STOP_LIMIT, old.qmp.execute('stop').catch(() => {}), old.ended))
    this.#replacing = true
    try {
      if (still !== 'done') await this.#cut()
      const [qemu] = await Promise.all([this.#launch(), this.#cut()])
      this.#replacing = false
      await this.#run(qemu, state)
    } catch (error) {
      this.#replacing = false
      if (old && !this.#qemu) this.#emit({ kind: 'power-off', at: Date.now() })
      throw error
    }
  }

  async #reload(qmp: QmpClient, name: string): Promise<void> {
    try {
      await qmp.execute('stop')
      await this.#statesOf(qmp).load(name)
      // What was printed before belongs before.
      await afterDeferredEvents()
      this.#guestOffAt = undefined
      this.#emit({ kind: 'restore', at: Date.now(), state: name })
      await qmp.execute('cont')
    } catch (error) {
      await this.#cut()
      throw error
    }
  }

  #statesOf(qmp: QmpClient): MachineStates {
    return new MachineStates(qmp, this.#machine.disks.length)
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

  async #launch(): Promise<RunningQemu> {
    this.#memory ??= await this.#claim()
    try {
      const qemu = await launchQemu(this.#machine)
      await this.#memory.usedBy(qemu.pid)
      return qemu
    } catch (error) {
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
      if (state !== undefined) await this.#statesOf(qemu.qmp).load(state)
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
    await this.#memory?.release()
    this.#memory = undefined
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
    await this.#letMemoryGo()
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
