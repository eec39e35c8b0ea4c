import { join, relative } from 'node:path'
import type { Board, BoardEvent } from '../board/board.js'
import { openBoard } from '../board/open.js'
import { Recording } from '../console/recording.js'
import { RecordingReader } from '../console/reader.js'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from '../image/artefacts.js'
import { buildImage } from '../image/build.js'
import type { Journal } from '../record/journal.js'
import type { Boot, Finding } from '../record/record.js'
import { LinuxShell, type ShellPort } from '../shell/linux-shell.js'
import { bootFault } from './boot-fault.js'
import { Boots } from './boots.js'
import type { DeviceRequest, DeviceState, PowerAction } from './protocol.js'

/** After a fatal finding, reading goes on until the console is silent for so long, so that the trace is whole. */
const TRACE_SILENCE_MS = 1_500
const TRACE_LIMIT_MS = 10_000
/** A shell that was there is there again at once, unless something is wrong. */
const SHELL_CHECK_MS = 15_000

export interface DeviceTold {
  grown(length: number, ended: string | undefined): void
  progress(text: string): void
}

/** One device of a session: image, board, recording and boots, made ready when first asked for. */
export class Device implements AsyncDisposable {
  private artefacts: Artefacts | undefined
  private board: Board | undefined
  private recording: Recording | undefined
  private reader: RecordingReader | undefined
  private boots: Boots | undefined
  private failure: Fault | undefined
  /** Ordinal of the boot in which a shell was seen, and whether a test has failed since. */
  private shellSeenIn = 0
  private doubted = false
  private grant = 0
  held = false
  private queue: Promise<unknown> = Promise.resolve()

  constructor(
    private readonly request: DeviceRequest,
    private readonly journal: Journal,
    private readonly told: DeviceTold,
  ) {}

  /**
   * Gives the caller a booted device with a shell, and a grant. A boot that failed is not tried again.
   *
   * @throws Fault `boot.*`, `power.*`, `image.*`: the same one, by its id, each time
   */
  acquire(): Promise<DeviceState> {
    return this.inTurn(async () => {
      if (this.failure) throw this.failure
      try {
        await this.makeReady()
      } catch (error) {
        this.failure = Fault.wrap(error)
        await this.board?.power.off().catch(() => {})
        throw this.failure
      }
      this.held = true
      return this.describe(++this.grant)
    })
  }

  /** Ends a grant. After a failed test the shell is looked at before the device is used again. */
  release(grant: number, failed: boolean): number {
    this.check(grant)
    this.held = false
    this.grant++
    this.doubted ||= failed
    return this.recording?.length() ?? 0
  }

  async write(grant: number, bytes: Buffer): Promise<void> {
    this.check(grant)
    await this.port().write(bytes)
  }

  async power(grant: number, action: PowerAction, timeout: number): Promise<void> {
    this.check(grant)
    const power = this.opened().power
    await (action === 'shutdown' ? power.shutdown(timeout) : power[action]())
  }

  state(): { power: 'on' | 'off'; boots: Boot[]; findings: Finding[] } {
    return {
      power: this.opened().power.state(),
      boots: this.boots?.all ?? [],
      findings: this.boots?.findings ?? [],
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.grant++
    await this.board?.[Symbol.asyncDispose]()
    this.recording?.close()
    this.reader?.[Symbol.dispose]()
  }

  /** One after the other: two tests must not both boot the device. */
  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.queue.then(work)
    this.queue = result.catch(() => {})
    return result
  }

  private async makeReady(): Promise<void> {
    const board = await this.open()
    if (board.power.state() === 'off') return this.bootWithRetry()
    const boot = this.boots!.current?.ordinal
    if (boot === this.shellSeenIn && !this.doubted) return
    try {
      await this.findShell(boot === this.shellSeenIn ? SHELL_CHECK_MS : this.request.bootTimeout)
    } catch (error) {
      this.note(`no shell any more (${Fault.wrap(error).code}): power cycle`)
      await board.power.off()
      await this.bootWithRetry()
    }
  }

  /** Faults of lab and harness get a second try; what the product does wrong is not asked for twice. */
  private async bootWithRetry(): Promise<void> {
    try {
      await this.boot()
    } catch (error) {
      const fault = Fault.wrap(error)
      if (fault.culprit !== 'lab' && fault.culprit !== 'harness') throw fault
      this.journal.write({ type: 'fault', fault: fault.toJSON(), at: Date.now() })
      this.note(`boot failed (${fault.code}): one more try`)
      await this.opened().power.off()
      await this.boot()
    }
  }

  private async boot(): Promise<void> {
    this.told.progress(`booting ${this.request.project}`)
    const board = this.opened()
    await board.power.on()
    await this.findShell(this.request.bootTimeout)
    const boot = this.boots!.current
    this.told.progress(`booted in ${((Date.now() - (boot?.startedAt ?? 0)) / 1000).toFixed(1)} s`)
  }

  /** Proves that there is a shell, or says why there is none. A fatal finding ends the wait once its trace is whole. */
  private async findShell(timeout: number): Promise<void> {
    const boots = this.boots!
    const reader = this.reader!
    const started = Date.now()
    const stop = new AbortController()
    let fatal: Finding | undefined
    boots.onFatal = finding => {
      fatal ??= finding
      void this.silence().then(() => stop.abort(finding))
    }
    try {
      const { login, password } = this.artefacts!.manifest.console
      await LinuxShell.login(this.port(), {
        ...(login !== undefined && { login }),
        ...(password !== undefined && { password }),
        timeout,
        signal: stop.signal,
      })
      this.shellSeenIn = boots.current?.ordinal ?? 0
      this.doubted = false
    } catch (error) {
      const from = boots.current?.from ?? 0
      throw bootFault({
        stage: boots.stage,
        bytes: reader.length - from,
        fatal:
          fatal ?? boots.findings.find(finding => finding.severity === 'fatal' && finding.offset >= from),
        waited: Date.now() - started,
        lastLines: reader.lastLines(25, from),
        ended: error instanceof Fault ? error : undefined,
      })
    } finally {
      boots.onFatal = () => {}
    }
  }

  private async silence(): Promise<void> {
    const reader = this.reader!
    const limit = Date.now() + TRACE_LIMIT_MS
    while (Date.now() < limit) {
      if ((await reader.grown(reader.length, { timeout: TRACE_SILENCE_MS })) !== 'grown') return
    }
  }

  private async open(): Promise<Board> {
    if (this.board) return this.board
    const { request, journal } = this
    const [choice] = request.boards
    if (!choice) throw new Error('a plan without a board')
    const progress = (text: string) => this.told.progress(text)
    this.artefacts = await buildImage({
      root: request.root,
      name: request.image.name,
      arch: choice.declaration.arch,
      ...(request.image.variant !== undefined && { variant: request.image.variant }),
      onProgress: event => progress(event.step),
    })
    const { manifest } = this.artefacts
    journal.write({
      type: 'image',
      image: manifest.image,
      ...(request.image.variant !== undefined && { variant: request.image.variant }),
      arch: manifest.arch,
      key: manifest.key,
      artefacts: manifest.artefacts,
    })
    const folder = join(request.runFolder, 'consoles', request.project)
    this.recording = Recording.create(folder)
    this.reader = new RecordingReader(folder, this.recording)
    this.boots = new Boots(request.project, this.recording, this.reader, journal)
    const { recording, boots } = this
    recording.onGrow(length => this.told.grown(length, undefined))
    recording.onEnd(reason => this.told.grown(recording.length(), reason))
    this.board = await openBoard({
      name: choice.name,
      declaration: choice.declaration,
      artefacts: this.artefacts,
      accel: request.accel,
      listener: {
        onConsole: channel => {
          recording.attach(channel)
          this.told.grown(recording.length(), undefined)
        },
        onEvent: (event: BoardEvent) => boots.onEvent(event),
      },
    })
    journal.write({
      type: 'device',
      device: request.project,
      board: choice.name,
      boardClass: choice.declaration.class,
      console: relative(request.runFolder, folder),
      facts: this.board.describe(),
    })
    return this.board
  }

  private port(): ShellPort {
    const { recording, reader } = this
    if (!recording || !reader) throw new Error('a device that was never opened has no console')
    return {
      reader,
      write: async bytes => {
        const channel = recording.channel
        if (!channel) throw noConsole()
        await channel.write(bytes)
      },
    }
  }

  private opened(): Board {
    if (!this.board) throw new Error('a device that was never opened has no board')
    return this.board
  }

  private describe(grant: number): DeviceState {
    const { manifest, folder } = this.artefacts!
    return {
      project: this.request.project,
      board: this.board!.name,
      grant,
      console: this.recording!.folder,
      length: this.recording!.length(),
      manifest,
      artefacts: folder,
      facts: this.board!.describe(),
    }
  }

  private check(grant: number): void {
    if (grant === this.grant) return
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

function noConsole(): Fault {
  return new Fault({
    code: 'console.ended',
    culprit: 'product',
    expected: 'a powered board with an open console',
    seen: 'the board is off',
    next: 'power it on first, or see in the record why it went off',
  })
}
