import { Fault } from '../fault/fault.js'
import type { Isolation } from '../record/record.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { coldBoot, type Told } from './cold-boot.js'
import { noSnapshots, noSuchCheckpoint } from './faults.js'
import { findShell } from './find-shell.js'
import type { OpenDevice } from './open-device.js'
import { reboot } from './reboot.js'
import { SavedStates } from './saved-states.js'
import type { KnownShells, Shells } from './shells.js'

/** A shell that was there is there again at once, unless something is wrong. */
const SHELL_CHECK_MS = 15_000
/** The state in which a device has booted and nobody has used it. */
const BOOTED = 'booted'
const CHECKPOINT = 'checkpoint.'
const PREPARED = 'prepared.'

/** Gets one device into the state that a test asks for, by the cheapest means, and knows what shells are on it. */
export class Readiness {
  private readonly states: SavedStates | undefined
  private known: KnownShells | undefined
  /** What the last test left is not trusted. */
  private doubted = false
  /** A test has had the device, or was about to. */
  private used = false
  /** Nothing has run since the storage was as the image delivers it. */
  private pristine = true
  /** The last test started from a prepared state: the next one finds nothing of that, unless it wants the same. */
  private elsewhere = false

  constructor(
    private readonly device: OpenDevice,
    private readonly bootTimeout: number,
    private readonly told: Told,
    private readonly signal: AbortSignal,
  ) {
    const { snapshots } = device.board
    this.states = snapshots && new SavedStates(device, snapshots, signal)
  }

  /** Shells of the current boot. */
  get shells(): Shells {
    const { boot, ...shells } = this.known ?? { boot: undefined, guests: {} }
    return boot === this.device.boots.current?.ordinal ? shells : { guests: {} }
  }

  /** A test has had the device. */
  leave(shells: Shells, failed: boolean): void {
    this.known = { ...shells, boot: this.device.boots.current?.ordinal ?? 0 }
    this.doubted ||= failed
  }

  /** The test that had the device is gone without a word. */
  doubt(): void {
    this.doubted = true
  }

  /**
   * Makes the device ready, and returns what was done. With `path`, prepared states one on top of the other, it goes to the
   * last of them that is at hand; the missing ones are left to the caller. `isolation` is what the first starts from.
   *
   * @throws Fault `boot.*`, `power.*`
   */
  async prepare(
    isolation: Isolation,
    path: readonly string[],
  ): Promise<{ done: string; missing: readonly string[] }> {
    const reached = await this.reachedOf(path)
    const done = reached?.done ?? (await this.ready(isolation))
    this.doubted = false
    this.used = true
    this.elsewhere = path.length > 0
    return { done, missing: path.slice(reached?.depth ?? 0) }
  }

  /** The caller has prepared the last state of `path`. */
  async reached(path: readonly string[], shells: Shells): Promise<void> {
    if (!this.states) {
      return this.told.note(`each test prepares its state anew: ${this.device.board.whyNoSnapshots}`)
    }
    try {
      await this.states.save(preparedName(path), shells)
    } catch (error) {
      this.told.note(`the prepared state could not be saved: ${Fault.wrap(error).seen}`)
    }
  }

  /** @throws Fault `snapshot.*`, `qemu.snapshot.refused`, `qemu.disk.full` */
  async checkpoint(name: string, shells: Shells): Promise<void> {
    await this.savedStates().save(CHECKPOINT + name, shells)
  }

  /** @returns the shells that are there. @throws Fault `snapshot.*` */
  async rewind(name: string): Promise<Shells> {
    const states = this.savedStates()
    if (!states.has(CHECKPOINT + name)) throw noSuchCheckpoint(name)
    this.pristine = false
    const back = await states.restore(CHECKPOINT + name)
    if (typeof back === 'string') throw noSuchCheckpoint(name, back)
    this.known = back.shells
    return this.shells
  }

  private savedStates(): SavedStates {
    const { whyNoSnapshots, name } = this.device.board
    if (!this.states) throw noSnapshots(name, whyNoSnapshots ?? 'it has no means for that')
    return this.states
  }

  private ready(isolation: Isolation): Promise<string> {
    // The first boot is from what the image delivers: more can't be asked for.
    if (!this.used && isolation !== 'fresh') return this.reflashed()
    switch (isolation) {
      case 'shared':
        return this.reuse()
      case 'fresh':
        return this.fresh()
      case 'rebooted':
        return this.elsewhere ? this.reflashed() : this.rebooted()
      case 'power-cycled':
        return this.elsewhere ? this.reflashed() : this.booted('power-cycled')
      case 'reflashed':
        return this.reflashed()
    }
  }

  private async reuse(): Promise<string> {
    const { power } = this.device.board
    if (power.state() === 'on' && this.shells.own && !this.doubted && !this.elsewhere) return 'reused'
    return (await this.restored()) ?? (this.elsewhere ? this.reflashed() : this.stillUsable())
  }

  /** Without a state to go back to, a device that answers is used as it is. */
  private async stillUsable(): Promise<string> {
    const { board, port } = this.device
    if (board.power.state() === 'off') return this.booted('booted')
    const { own } = this.shells
    try {
      if (own && (await LinuxShell.resume(port, own, SHELL_CHECK_MS))) return 'reused'
      this.known = await findShell(this.device, own ? SHELL_CHECK_MS : this.bootTimeout, this.signal)
      return 'reused'
    } catch (error) {
      this.signal.throwIfAborted()
      this.told.note(`no shell any more (${Fault.wrap(error).code}): power cycle`)
      return this.booted('power-cycled')
    }
  }

  private async fresh(): Promise<string> {
    const { states } = this
    if (!states) {
      this.told.note(`a fresh device costs a boot: ${this.device.board.whyNoSnapshots}`)
      return this.reflashed()
    }
    const restored = await this.restored()
    if (restored) return restored
    let waited = false
    await using _ = await states.making(() => {
      waited = true
      this.told.progress('another run saves the same device: waiting for it')
    })
    const kept = waited ? await this.restored() : undefined
    if (kept) return kept
    return await this.reflashed({ keep: true })
  }

  private async rebooted(): Promise<string> {
    const { port, reader, artefacts } = this.device
    const { own } = this.shells
    const shell = own && (await LinuxShell.resume(port, own, SHELL_CHECK_MS))
    if (!shell || !artefacts.manifest.features.includes('reboot')) return this.booted('power-cycled')
    try {
      await reboot(shell, reader, this.bootTimeout, this.signal)
    } catch (error) {
      this.signal.throwIfAborted()
      this.told.note(`no orderly reboot (${Fault.wrap(error).code}): power cycle`)
      return this.booted('power-cycled')
    }
    this.known = await findShell(this.device, this.bootTimeout, this.signal)
    return 'rebooted'
  }

  private async reflashed(options: { keep: boolean } = { keep: false }): Promise<string> {
    await this.renew()
    return this.booted(this.used ? 'reflashed' : 'booted', options)
  }

  private async booted(done: string, options: { keep: boolean } = { keep: false }): Promise<string> {
    const asDelivered = this.pristine
    this.pristine = false
    const renew = async () => {
      if (asDelivered) await this.device.board.reflash()
    }
    this.known = await coldBoot(this.device, this.bootTimeout, renew, this.told, this.signal)
    if (asDelivered) await this.saveBooted(options)
    return done
  }

  /** What was saved from the first boot is as good as what a later one would give. */
  private async saveBooted(options: { keep: boolean }): Promise<void> {
    if (!this.states || (this.used && this.states.has(BOOTED))) return
    try {
      const why = await this.states.save(BOOTED, this.shells, options)
      if (why !== undefined) this.told.note(`the booted device is not kept for later runs: ${why}`)
    } catch (error) {
      this.told.note(`the booted device could not be saved: ${Fault.wrap(error).seen}`)
    }
  }

  private async renew(): Promise<void> {
    if (!this.pristine) await this.device.board.reflash()
    this.pristine = true
  }

  /** Goes back to the booted state, if there is one that serves. */
  private restored(): Promise<string | undefined> {
    return this.restoredTo(BOOTED)
  }

  /** The deepest of the prepared states that is at hand and serves. */
  private async reachedOf(path: readonly string[]): Promise<{ done: string; depth: number } | undefined> {
    for (let depth = path.length; depth > 0; depth--) {
      const done = await this.restoredTo(preparedName(path.slice(0, depth)))
      if (done) return { done, depth }
    }
    return undefined
  }

  private async restoredTo(state: string): Promise<string | undefined> {
    if (!this.states?.has(state)) return undefined
    this.pristine = false
    const back = await this.states.restore(state)
    if (typeof back === 'string') {
      this.told.note(`the saved state is of no use (${back}): it is made anew`)
      return undefined
    }
    this.known = back.shells
    return `restored ${back.how}`
  }
}

function preparedName(path: readonly string[]): string {
  return PREPARED + path.join('/')
}
