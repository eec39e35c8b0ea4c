import { Fault } from '../fault/fault.js'
import type { Isolation } from '../record/record.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { noSnapshots, noSuchCheckpoint } from './faults.js'
import { findShell, type KnownShell } from './find-shell.js'
import type { OpenDevice } from './open-device.js'
import { reboot } from './reboot.js'
import { SavedStates } from './saved-states.js'

/** A shell that was there is there again at once, unless something is wrong. */
const SHELL_CHECK_MS = 15_000
/** The state in which a device has booted and nobody has used it. */
const BOOTED = 'booted'
const CHECKPOINT = 'checkpoint.'

interface Told {
  note(text: string): void
  progress(text: string): void
  fault(fault: Fault): void
}

/** Gets one device into the state that a test asks for, by the cheapest means, and knows what shell is on it. */
export class Readiness {
  private readonly states: SavedStates | undefined
  /** The shell that is known to be there, by the boot it belongs to. */
  private shell: KnownShell | undefined
  /** What the last test left is not trusted. */
  private doubted = false
  /** A test has had the device, or was about to. */
  private used = false

  constructor(
    private readonly device: OpenDevice,
    private readonly bootTimeout: number,
    private readonly told: Told,
    private readonly signal: AbortSignal,
  ) {
    const { snapshots } = device.board
    this.states = snapshots && new SavedStates(device, snapshots, signal)
  }

  get shellKey(): string | undefined {
    return this.known?.key
  }

  /** A test has had the device. */
  leave(shellKey: string | undefined, failed: boolean): void {
    const boot = this.device.boots.current?.ordinal ?? 0
    this.shell = shellKey === undefined ? undefined : { boot, key: shellKey }
    this.doubted ||= failed
  }

  /** The test that had the device is gone without a word. */
  doubt(): void {
    this.doubted = true
  }

  /** Makes the device ready, and returns what was done. @throws Fault `boot.*`, `power.*` */
  async prepare(isolation: Isolation): Promise<string> {
    const done = await this.ready(isolation)
    this.doubted = false
    this.used = true
    return done
  }

  /** @throws Fault `snapshot.*`, `qemu.snapshot.refused`, `qemu.disk.full` */
  async checkpoint(name: string, shellKey: string | undefined): Promise<void> {
    await this.savedStates().save(CHECKPOINT + name, shellKey)
  }

  /** @returns the shell that is there. @throws Fault `snapshot.*` */
  async rewind(name: string): Promise<string> {
    const states = this.savedStates()
    if (!states.has(CHECKPOINT + name)) throw noSuchCheckpoint(name)
    const back = await states.restore(CHECKPOINT + name)
    if (typeof back === 'string') throw noSuchCheckpoint(name, back)
    this.shell = back.shell
    return back.shell.key
  }

  private savedStates(): SavedStates {
    const { whyNoSnapshots, name } = this.device.board
    if (!this.states) throw noSnapshots(name, whyNoSnapshots ?? 'it has no means for that')
    return this.states
  }

  private ready(isolation: Isolation): Promise<string> {
    // The first boot is from what the image delivers: more can't be asked for.
    if (!this.used && isolation !== 'fresh') return this.coldBoot('booted')
    switch (isolation) {
      case 'shared':
        return this.reuse()
      case 'fresh':
        return this.fresh()
      case 'rebooted':
        return this.rebooted()
      case 'power-cycled':
        return this.coldBoot('power-cycled')
      case 'reflashed':
        return this.reflashed()
    }
  }

  private async reuse(): Promise<string> {
    if (this.device.board.power.state() === 'on' && this.known && !this.doubted) return 'reused'
    return (await this.restored()) ?? this.stillUsable()
  }

  /** Without a state to go back to, a device that answers is used as it is. */
  private async stillUsable(): Promise<string> {
    const { board, port } = this.device
    if (board.power.state() === 'off') return this.coldBoot('booted')
    try {
      const { known } = this
      if (known && (await LinuxShell.resume(port, known.key, SHELL_CHECK_MS))) return 'reused'
      await this.findShell(known ? SHELL_CHECK_MS : this.bootTimeout)
      return 'reused'
    } catch (error) {
      this.signal.throwIfAborted()
      this.told.note(`no shell any more (${Fault.wrap(error).code}): power cycle`)
      return this.coldBoot('power-cycled')
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
    const done = await this.reflashed({ keep: true })
    // It stood still while it was copied.
    await states.setRight(this.shell!)
    return done
  }

  private async rebooted(): Promise<string> {
    const { port, reader, artefacts } = this.device
    const shell = this.known && (await LinuxShell.resume(port, this.known.key, SHELL_CHECK_MS))
    if (!shell || !artefacts.manifest.features.includes('reboot')) return this.coldBoot('power-cycled')
    try {
      await reboot(shell, reader, this.bootTimeout, this.signal)
    } catch (error) {
      this.signal.throwIfAborted()
      this.told.note(`no orderly reboot (${Fault.wrap(error).code}): power cycle`)
      return this.coldBoot('power-cycled')
    }
    await this.findShell(this.bootTimeout)
    return 'rebooted'
  }

  private async reflashed(options: { keep: boolean } = { keep: false }): Promise<string> {
    if (this.used) await this.device.board.reflash()
    return this.coldBoot(this.used ? 'reflashed' : 'booted', options)
  }

  private get known(): KnownShell | undefined {
    return this.shell?.boot === this.device.boots.current?.ordinal ? this.shell : undefined
  }

  /** Goes back to the booted state, if there is one that serves. */
  private async restored(): Promise<string | undefined> {
    if (!this.states?.has(BOOTED)) return undefined
    const back = await this.states.restore(BOOTED)
    if (typeof back === 'string') {
      this.told.note(`the saved state is of no use (${back}): it is made anew`)
      return undefined
    }
    this.shell = back.shell
    return `restored ${back.how}`
  }

  /** Faults of lab and harness get a second try; what the product does wrong is not asked for twice. */
  private async coldBoot(done: string, options: { keep: boolean } = { keep: false }): Promise<string> {
    try {
      await this.boot()
    } catch (error) {
      this.signal.throwIfAborted()
      const fault = Fault.wrap(error)
      if (fault.culprit !== 'lab' && fault.culprit !== 'harness') throw fault
      this.told.fault(fault)
      this.told.note(`boot failed (${fault.code}): one more try`)
      await this.boot()
    }
    await this.saveBooted(options)
    return done
  }

  private async boot(): Promise<void> {
    this.told.progress('booting')
    const started = Date.now()
    await this.device.board.power.cycle()
    await this.findShell(this.bootTimeout)
    this.told.progress(`booted in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  }

  /** What was saved from the first boot is as good as what a later one would give. */
  private async saveBooted(options: { keep: boolean }): Promise<void> {
    if (!this.states || (this.used && this.states.has(BOOTED))) return
    try {
      const why = await this.states.save(BOOTED, this.shellKey, options)
      if (why !== undefined) this.told.note(`the booted device is not kept for later runs: ${why}`)
    } catch (error) {
      this.told.note(`the booted device could not be saved: ${Fault.wrap(error).seen}`)
    }
  }

  private async findShell(timeout: number): Promise<void> {
    this.shell = await findShell(this.device, timeout, this.signal)
  }
}
