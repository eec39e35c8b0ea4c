import { Fault } from '../fault/fault.js'
import type { Journal } from '../record/journal.js'
import type { ConsoleRange, Isolation, Prepared } from '../record/record.js'
import { sessionEnding, staleGrant } from './faults.js'
import { closeDevice, openDevice, type DeviceTold, type OpenDevice } from './open-device.js'
import { Readiness } from './readiness.js'
import type { DeviceFacts, DeviceRequest, DeviceState, PowerAction } from './protocol.js'

/** One device of a session, made ready when first asked for and owned until the session ends. */
export class Device implements AsyncDisposable {
  private device: OpenDevice | undefined
  private failure: Fault | undefined
  private readiness: Readiness | undefined
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
  acquire(isolation: Isolation): Promise<DeviceState> {
    return this.inTurn(async () => {
      this.ending.signal.throwIfAborted()
      if (this.failure) throw this.failure
      let prepared: Prepared
      try {
        this.device ??= await openDevice(this.request, this.journal, this.told, this.ending.signal)
        this.readiness ??= this.readinessOf(this.device)
        const began = performance.now()
        const done = await this.readiness.prepare(isolation)
        prepared = { isolation, done, ms: Math.round(performance.now() - began) }
      } catch (error) {
        this.ending.signal.throwIfAborted()
        this.failure = Fault.wrap(error)
        await this.device?.board.power.off().catch(() => {})
        throw this.failure
      }
      this.isHeld = true
      return this.describe(this.device, ++this.grant, prepared)
    })
  }

  /** Ends a grant. After a failed test the shell is looked at before the device is used again. */
  release(grant: number, failed: boolean, shellKey: string | undefined): number {
    const { recording } = this.granted(grant)
    this.readiness!.leave(shellKey, failed)
    this.isHeld = false
    this.grant++
    return recording.length()
  }

  /** The holder is gone without a word: what it left on the device is unknown. */
  abandon(grant: number): void {
    if (grant !== this.grant) return
    this.isHeld = false
    this.grant++
    this.readiness?.doubt()
  }

  async write(grant: number, bytes: Buffer): Promise<void> {
    await this.granted(grant).port.write(bytes)
  }

  async power(grant: number, action: PowerAction, timeout: number): Promise<void> {
    const { power } = this.granted(grant).board
    await (action === 'shutdown' ? power.shutdown(timeout) : power[action]())
  }

  async checkpoint(grant: number, name: string, shellKey: string | undefined): Promise<void> {
    this.granted(grant)
    await this.readiness!.checkpoint(name, shellKey)
  }

  async rewind(grant: number, name: string): Promise<{ shellKey: string }> {
    this.granted(grant)
    return { shellKey: await this.readiness!.rewind(name) }
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

  private describe(device: OpenDevice, grant: number, prepared: Prepared): DeviceState {
    const { shellKey } = this.readiness!
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
      ...(shellKey !== undefined && { shellKey }),
      prepared,
    }
  }

  private granted(grant: number): OpenDevice {
    if (this.device && grant === this.grant) return this.device
    throw staleGrant()
  }

  private readinessOf(device: OpenDevice): Readiness {
    const told = {
      note: (text: string) => this.note(text),
      progress: (text: string) => this.told.progress(text),
      fault: (fault: Fault) => this.journal.write({ type: 'fault', fault: fault.toJSON(), at: Date.now() }),
    }
    return new Readiness(device, this.request.bootTimeout, told, this.ending.signal)
  }

  private note(text: string): void {
    this.journal.write({ type: 'note', text: `${this.request.project}: ${text}`, at: Date.now() })
    this.told.progress(text)
  }
}
