import { Fault } from '../fault/fault.js'
import type { Journal } from '../record/journal.js'
import type { ConsoleRange } from '../record/record.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { sessionEnding, staleGrant } from './faults.js'
import { findShell, type KnownShell } from './find-shell.js'
import { closeDevice, openDevice, type DeviceTold, type OpenDevice } from './open-device.js'
import type { DeviceFacts, DeviceRequest, DeviceState, PowerAction } from './protocol.js'

/** A shell that was there is there again at once, unless something is wrong. */
const SHELL_CHECK_MS = 15_000

/** One device of a session, made ready when first asked for and owned until the session ends. */
export class Device implements AsyncDisposable {
  private device: OpenDevice | undefined
  private failure: Fault | undefined
  /** The shell that is known to be there, by the boot it belongs to; doubted once a test has failed. */
  private shell: KnownShell | undefined
  private doubted = false
  /** Fencing number of who holds the device; it moves on with every acquire and release. */
  private grant = 0
  private isHeld = false
  private queue: Promise<unknown> = Promise.resolve()
  private readonly ending = new AbortController()

  constructor(
    private readonly request: DeviceRequest,
    private readonly journal: Journal,
    private readonly told: DeviceTold,
  ) {}

  get held(): boolean {
    return this.isHeld
  }

  /** Where the current or last boot stands in the recording, whose folder is absolute. */
  get range(): ConsoleRange | undefined {
    if (!this.device) return undefined
    const { recording, boots } = this.device
    return { folder: recording.folder, from: boots.current?.from ?? 0, to: recording.length() }
  }

  /**
   * Gives the caller a booted device with a shell, and a grant. A boot that failed is not tried again.
   *
   * @throws Fault `boot.*`, `power.*`, `image.*`: the same one, by its id, each time
   */
  acquire(): Promise<DeviceState> {
    return this.inTurn(async () => {
      this.ending.signal.throwIfAborted()
      if (this.failure) throw this.failure
      try {
        this.device ??= await openDevice(this.request, this.journal, this.told, this.ending.signal)
        await this.makeReady(this.device)
      } catch (error) {
        this.ending.signal.throwIfAborted()
        this.failure = Fault.wrap(error)
        await this.device?.board.power.off().catch(() => {})
        throw this.failure
      }
      this.isHeld = true
      return this.describe(this.device, ++this.grant)
    })
  }

  /** Ends a grant. After a failed test the shell is looked at before the device is used again. */
  release(grant: number, failed: boolean, shellKey: string | undefined): number {
    const { recording, boots } = this.granted(grant)
    this.shell = shellKey === undefined ? undefined : { boot: boots.current?.ordinal ?? 0, key: shellKey }
    this.isHeld = false
    this.grant++
    this.doubted ||= failed
    return recording.length()
  }

  /** The holder is gone without a word: what it left on the device is unknown. */
  abandon(grant: number): void {
    if (grant !== this.grant) return
    this.isHeld = false
    this.grant++
    this.doubted = true
  }

  async write(grant: number, bytes: Buffer): Promise<void> {
    await this.granted(grant).port.write(bytes)
  }

  async power(grant: number, action: PowerAction, timeout: number): Promise<void> {
    const { power } = this.granted(grant).board
    await (action === 'shutdown' ? power.shutdown(timeout) : power[action]())
  }

  async state(): Promise<DeviceFacts> {
    const { device } = this
    if (!device) return { power: 'off', boots: [], findings: [] }
    const { board, boots, recording } = device
    if (recording.ended() !== undefined) await boots.ended()
    return {
      power: board.power.state(),
      boots: boots.all,
      findings: boots.findings,
      ...(boots.lost && { lost: boots.lost.toJSON() }),
    }
  }

  /** Waits until what is under way has noticed: a board that is being switched on must not stay on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.grant++
    this.ending.abort(sessionEnding())
    await this.queue
    if (this.device) await closeDevice(this.device)
  }

  /** One after the other: two tests must not both boot the device. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work)
    this.queue = result.catch(() => {})
    return result
  }

  private async makeReady(device: OpenDevice): Promise<void> {
    const { power } = device.board
    if (power.state() === 'off') return this.bootWithRetry(device)
    const known = device.boots.current?.ordinal === this.shell?.boot ? this.shell : undefined
    if (known && !this.doubted) return
    try {
      if (known && (await LinuxShell.resume(device.port, known.key, SHELL_CHECK_MS))) {
        this.doubted = false
        return
      }
      await this.findShell(device, known ? SHELL_CHECK_MS : this.request.bootTimeout)
    } catch (error) {
      this.ending.signal.throwIfAborted()
      this.note(`no shell any more (${Fault.wrap(error).code}): power cycle`)
      await power.off()
      await this.bootWithRetry(device)
    }
  }

  /** Faults of lab and harness get a second try; what the product does wrong is not asked for twice. */
  private async bootWithRetry(device: OpenDevice): Promise<void> {
    try {
      await this.boot(device)
    } catch (error) {
      this.ending.signal.throwIfAborted()
      const fault = Fault.wrap(error)
      if (fault.culprit !== 'lab' && fault.culprit !== 'harness') throw fault
      this.journal.write({ type: 'fault', fault: fault.toJSON(), at: Date.now() })
      this.note(`boot failed (${fault.code}): one more try`)
      await device.board.power.off()
      await this.boot(device)
    }
  }

  private async boot(device: OpenDevice): Promise<void> {
    this.told.progress('booting')
    const started = Date.now()
    await device.board.power.on()
    await this.findShell(device, this.request.bootTimeout)
    this.told.progress(`booted in ${((Date.now() - started) / 1000).toFixed(1)} s`)
  }

  private async findShell(device: OpenDevice, timeout: number): Promise<void> {
    this.shell = await findShell(device, timeout, this.ending.signal)
    this.doubted = false
  }

  private describe(device: OpenDevice, grant: number): DeviceState {
    const { artefacts, board, recording } = device
    return {
      project: this.request.project,
      board: board.name,
      grant,
      console: recording.folder,
      length: recording.length(),
      manifest: artefacts.manifest,
      artefacts: artefacts.folder,
      facts: board.describe(),
      ...(this.shell && { shellKey: this.shell.key }),
    }
  }

  private granted(grant: number): OpenDevice {
    if (this.device && grant === this.grant) return this.device
    throw staleGrant()
  }

  private note(text: string): void {
    this.journal.write({ type: 'note', text: `${this.request.project}: ${text}`, at: Date.now() })
    this.told.progress(text)
  }
}
