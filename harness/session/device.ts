import type { Fault } from '../fault/fault.js'
import type { Journal } from '../record/journal.js'
import type { ConsoleRange, Isolation, Prepared } from '../record/record.js'
import { sessionEnding, staleGrant } from './faults.js'
import { closeDevice, openDevice, type DeviceTold, type OpenDevice } from './open-device.js'
import { Readiness } from './readiness.js'
import type { DeviceFacts, DeviceRequest, DeviceState, PowerAction } from './protocol.js'
import type { Shells } from './shells.js'

/** One device of a session, made ready when first asked for and owned until it is given back. */
export class Device implements AsyncDisposable {
  private device: OpenDevice | undefined
  private readiness: Readiness | undefined
  /** Fencing number of who holds the device; it moves on with every acquire and release. */
  private grant = 0
  private queue: Promise<unknown> = Promise.resolve()
  private readonly ending = new AbortController()

  constructor(
    readonly name: string,
    private readonly request: DeviceRequest,
    private readonly board: DeviceRequest['boards'][number],
    private readonly journal: Journal,
    private readonly told: DeviceTold,
  ) {}

  get project(): string {
    return this.request.project
  }

  /** Where the current or last boot stands in the recording, whose folder is absolute. */
  get range(): ConsoleRange | undefined {
    if (!this.device) return undefined
    const { recording, boots } = this.device
    return { folder: recording.folder, from: boots.current?.from ?? 0, to: recording.length() }
  }

  /**
   * Gives the caller a booted device with a shell, and a grant; in the last of the prepared `states`, but for those that are
   * missing.
   *
   * @throws Fault `boot.*`, `power.*`, `image.*`; the board is off then
   */
  acquire(
    isolation: Isolation,
    states: readonly string[],
  ): Promise<{ device: DeviceState; missing: readonly string[] }> {
    return this.inTurn(async () => {
      this.ending.signal.throwIfAborted()
      try {
        this.device ??= await openDevice(
          { ...this.request, name: this.name, board: this.board },
          this.journal,
          this.told,
          this.ending.signal,
        )
        this.readiness ??= this.readinessOf(this.device)
        const began = performance.now()
        const { done, missing } = await this.readiness.prepare(isolation, states)
        const ms = Math.round(performance.now() - began)
        return { device: this.describe(this.device, ++this.grant, { isolation, done, ms }), missing }
      } catch (error) {
        this.ending.signal.throwIfAborted()
        await this.device?.board.power.off().catch(() => {})
        throw error
      }
    })
  }

  /** Ends a grant. After a failed test the shell is looked at before the device is used again. */
  release(grant: number, failed: boolean, shells: Shells): number {
    const { recording } = this.granted(grant)
    this.readiness!.leave(shells, failed)
    this.grant++
    return recording.length()
  }

  /** The holder is gone without a word: what it left on the device is unknown. */
  abandon(grant: number): void {
    if (grant !== this.grant) return
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

  checkpoint(grant: number, name: string, shells: Shells): Promise<void> {
    return this.ready(grant, readiness => readiness.checkpoint(name, shells))
  }

  rewind(grant: number, name: string): Promise<Shells> {
    return this.ready(grant, readiness => readiness.rewind(name))
  }

  reached(grant: number, states: readonly string[], shells: Shells): Promise<void> {
    return this.ready(grant, readiness => readiness.reached(states, shells))
  }

  async state(): Promise<DeviceFacts> {
    const { device } = this
    if (!device) return { power: 'off', boots: [], findings: [], facts: {} }
    const { board, boots, recording } = device
    if (recording.ended() !== undefined) await boots.ended()
    return {
      power: board.power.state(),
      boots: boots.all,
      findings: boots.findings,
      facts: board.describe(),
      ...(boots.lost && { lost: boots.lost.toJSON() }),
    }
  }

  /** Waits until what is under way has noticed: a board that is being switched on must not stay on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.grant++
    this.ending.abort(sessionEnding())
    // A switching-on that waits for memory is let go of at once; what is amiss with it shows when the board is closed.
    void this.device?.board.power.off().catch(() => {})
    await this.queue
    if (this.device) await closeDevice(this.device)
  }

  /** Until it is done nobody else gets the device, also when the test has ended meanwhile. */
  private ready<T>(grant: number, work: (readiness: Readiness) => Promise<T>): Promise<T> {
    return this.inTurn(() => {
      this.granted(grant)
      return work(this.readiness!)
    })
  }

  /** One after the other: two tests must not both boot the device. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work)
    this.queue = result.catch(() => {})
    return result
  }

  private describe(device: OpenDevice, grant: number, prepared: Prepared): DeviceState {
    const { artefacts, board, recording } = device
    return {
      device: this.name,
      board: board.name,
      grant,
      console: recording.folder,
      length: recording.length(),
      manifest: artefacts.manifest,
      artefacts: artefacts.folder,
      facts: board.describe(),
      shells: this.readiness!.shells,
      prepared,
    }
  }

  /** @throws Fault `session.grant.stale` */
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
    this.journal.write({ type: 'note', text: `${this.name}: ${text}`, at: Date.now() })
    this.told.progress(text)
  }
}
