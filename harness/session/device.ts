import { Fault } from '../fault/fault.js'
import type { Journal } from '../record/journal.js'
import type { Boot, Finding } from '../record/record.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { bootFault } from './boot-fault.js'
import { closeDevice, openDevice, type DeviceTold, type OpenDevice } from './open-device.js'
import type { DeviceRequest, DeviceState, PowerAction } from './protocol.js'

/** After a fatal finding, reading goes on until the console is silent for so long, so that the trace is whole. */
const TRACE_SILENCE_MS = 1_500
const TRACE_LIMIT_MS = 10_000
/** A shell that was there is there again at once, unless something is wrong. */
const SHELL_CHECK_MS = 15_000

/** One device of a session, made ready when first asked for and owned until the session ends. */
export class Device implements AsyncDisposable {
  private device: OpenDevice | undefined
  private failure: Fault | undefined
  /** The shell that is known to be there, by the boot it belongs to; doubted once a test has failed. */
  private shell: { boot: number; key: string } | undefined
  private doubted = false
  /** Fencing number of who holds the device; it moves on with every acquire and release. */
  private grant = 0
  private isHeld = false
  private queue: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly request: DeviceRequest,
    private readonly journal: Journal,
    private readonly told: DeviceTold,
  ) {}

  get held(): boolean {
    return this.isHeld
  }

  /**
   * Gives the caller a booted device with a shell, and a grant. A boot that failed is not tried again.
   *
   * @throws Fault `boot.*`, `power.*`, `image.*`: the same one, by its id, each time
   */
  acquire(): Promise<DeviceState> {
    return this.inTurn(async () => {
      if (this.failure) throw this.failure
      try {
        this.device ??= await openDevice(this.request, this.journal, this.told)
        await this.makeReady(this.device)
      } catch (error) {
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

  async write(grant: number, bytes: Buffer): Promise<void> {
    await this.granted(grant).port.write(bytes)
  }

  async power(grant: number, action: PowerAction, timeout: number): Promise<void> {
    const { power } = this.granted(grant).board
    await (action === 'shutdown' ? power.shutdown(timeout) : power[action]())
  }

  state(): { power: 'on' | 'off'; boots: Boot[]; findings: Finding[] } {
    const { device } = this
    if (!device) return { power: 'off', boots: [], findings: [] }
    return { power: device.board.power.state(), boots: device.boots.all, findings: device.boots.findings }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.grant++
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

  /** Proves that there is a shell, or says why there is none. A fatal finding ends the wait once its trace is whole. */
  private async findShell(device: OpenDevice, timeout: number): Promise<void> {
    const { boots, reader } = device
    const started = Date.now()
    const stop = new AbortController()
    boots.onFatal = finding => void untilSilent(device).then(() => stop.abort(finding))
    try {
      const { login, password } = device.artefacts.manifest.console
      const shell = await LinuxShell.login(device.port, {
        ...(login !== undefined && { login }),
        ...(password !== undefined && { password }),
        timeout,
        signal: stop.signal,
      })
      this.shell = { boot: boots.current?.ordinal ?? 0, key: shell.key }
      this.doubted = false
    } catch (error) {
      const from = boots.current?.from ?? 0
      throw bootFault({
        stage: boots.stage,
        bytes: reader.length - from,
        fatal: boots.findings.find(finding => finding.severity === 'fatal' && finding.offset >= from),
        waited: Date.now() - started,
        lastLines: reader.lastLines(25, from),
        ended: error instanceof Fault ? error : undefined,
      })
    } finally {
      boots.onFatal = () => {}
    }
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
    throw new Fault({
      code: 'session.grant.stale',
      culprit: 'test',
      expected: 'the test that holds the device to use it',
      seen: 'a test used it after its end, when it was no longer its own',
      next: 'await everything that the test starts',
    })
  }

  private note(text: string): void {
    this.journal.write({ type: 'note', text: `${this.request.project}: ${text}`, at: Date.now() })
    this.told.progress(text)
  }
}

async function untilSilent({ reader }: OpenDevice): Promise<void> {
  const limit = Date.now() + TRACE_LIMIT_MS
  while (Date.now() < limit) {
    if ((await reader.grown(reader.length, { timeout: TRACE_SILENCE_MS })) !== 'grown') return
  }
}
