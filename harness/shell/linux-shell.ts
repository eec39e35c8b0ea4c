import { Fault } from '../fault/fault.js'
import { AttachedPort } from './attached-port.js'
import { enterLoop, type LoginOptions } from './login.js'
import type { ShellPort } from './port.js'
import { RemoteLoop, type Limits, type Report, type Started } from './remote-loop.js'
import { commandTimeout, deviceGone, shellEnded, shown, type Scene } from './words.js'

export type { LoginOptions } from './login.js'
export type { ShellPort } from './port.js'

export interface RunOptions {
  /** Ms; by default a minute. */
  timeout?: number
  signal?: AbortSignal
}

export interface RunResult {
  exitCode: number
  /** Standard output and error as written; decoded as UTF-8. */
  output: string
  /** The same in bytes. */
  bytes: Buffer
  /** From the start of typing to the report, ms. */
  durationMs: number
  /** Where it stands in the console's recording. */
  from: number
  to: number
}

const DEFAULT_TIMEOUT = 60_000
/** Ms that an interrupted command has to end, and the shell to answer. */
const INTERRUPTED = 4000
/** Ms that output may still take once the command has ended, and how many bytes per ms a slow line carries at least. */
const TRANSFER = 20_000
const SLOWEST = 4
/** Output files on the device are removed after so many commands or bytes. */
const PURGE_RUNS = 16
const PURGE_BYTES = 1024 * 1024
const [INTERRUPT, QUIT] = [Buffer.from('\x03'), Buffer.from('\x1c')]

/** A POSIX shell on a device's console: commands go in, exit codes and exact output come out. One command at a time. */
export class LinuxShell {
  readonly port: ShellPort
  readonly #loop: RemoteLoop
  #turn: Promise<unknown> = Promise.resolve()
  #over: Fault | undefined
  /** A wait was aborted: its command may still run. */
  #unsettled = false
  #attached: AttachedPort | undefined
  #runs = 0
  #bytes = 0

  private constructor(port: ShellPort, loop: RemoteLoop) {
    this.port = port
    this.#loop = loop
  }

  /**
   * Logs in, wherever the console is now: booting, at a login prompt, at a shell, in a half-typed line.
   *
   * @throws Fault `shell.login.*`, `console.ended`
   */
  static async login(port: ShellPort, options: LoginOptions): Promise<LinuxShell> {
    return new LinuxShell(port, new RemoteLoop(port, await enterLoop(port, options)))
  }

  /**
   * Takes up a shell that another process, or an earlier one, has logged in and left idle; undefined when it does not
   * answer within `timeout` ms: then log in.
   */
  static async resume(port: ShellPort, key: string, timeout: number): Promise<LinuxShell | undefined> {
    const shell = LinuxShell.at(port, key)
    return (await shell.isAlive(timeout)) ? shell : undefined
  }

  /** The same without looking whether it answers: the first command tells. */
  static at(port: ShellPort, key: string): LinuxShell {
    return new LinuxShell(port, new RemoteLoop(port, key))
  }

  /** Identifies the shell on its line, for {@link resume}. */
  get key(): string {
    return this.#loop.key
  }

  /**
   * Runs a command in this shell (`cd` and `export` last), with nothing on its standard input. Its exit code is never
   * an error. Commands asked for at once run one after the other.
   *
   * @throws Fault `shell.command.timeout`: it hangs, and was interrupted; `shell.device.gone`; `shell.ended`;
   *   `shell.output.torn`, `shell.line.lossy`: the line is too bad; the signal's reason when aborted
   */
  async run(command: string, options: RunOptions = {}): Promise<RunResult> {
    return this.#alone(async () => {
      const scene = this.#scene(command)
      const began = performance.now()
      const timeout = options.timeout ?? DEFAULT_TIMEOUT
      const limits: Limits = { deadline: began + timeout, ...(options.signal && { signal: options.signal }) }
      await this.#settle(scene)
      try {
        const purge = this.#runs >= PURGE_RUNS || this.#bytes >= PURGE_BYTES
        const started = await this.#loop.start(command, purge ? '-' : '=', scene, limits)
        if (purge) [this.#runs, this.#bytes] = [0, 0]
        const report = await this.#loop.report(started, scene, limits)
        if (!report) throw await this.#hanging(started, scene, timeout)
        this.#runs++
        this.#bytes += report.size.bytes
        return await this.#result(report, began, scene, limits)
      } catch (error) {
        if (options.signal?.aborted) this.#unsettled = true
        throw error
      }
    })
  }

  /** As {@link run}, for a command that must succeed; returns its output. @throws Fault `shell.command.failed` as well */
  async check(command: string, options: RunOptions = {}): Promise<string> {
    const result = await this.run(command, options)
    if (result.exitCode === 0) return result.output
    throw new Fault({
      code: 'shell.command.failed',
      culprit: 'product',
      expected: `${shown(command)} to succeed`,
      seen: `it ended with exit code ${result.exitCode}`,
      next: 'see what it printed',
      where: `console bytes ${result.from}-${result.to}`,
      evidence: result.output.trimEnd().split('\n').slice(-15),
    })
  }

  /**
   * Starts a program that takes over the terminal (`xl console guest`) and returns the line to what is behind it: log
   * in on that with another `LinuxShell`. Until it is detached this shell runs nothing.
   */
  async attach(command: string, options: RunOptions & { escape?: string } = {}): Promise<AttachedPort> {
    return this.#alone(async () => {
      const scene = this.#scene(command)
      await this.#settle(scene)
      const timeout = options.timeout ?? DEFAULT_TIMEOUT
      const limits: Limits = {
        deadline: performance.now() + timeout,
        ...(options.signal && { signal: options.signal }),
      }
      const started = await this.#loop.start(command, 't', scene, limits)
      const attached = new AttachedPort(
        this.port,
        this.#loop,
        started,
        scene,
        options.escape ?? '\x1d',
        usable => {
          this.#attached = undefined
          this.#unsettled = !usable
        },
      )
      this.#attached = attached
      return attached
    })
  }

  /** Whether the shell answers, within `timeout` ms. */
  async isAlive(timeout = 5000): Promise<boolean> {
    if (this.#over || this.#attached) return false
    return this.#alone(async () => {
      const limits = { deadline: performance.now() + timeout }
      return (await this.#loop.query(this.#scene('(are you alive?)'), limits)) !== undefined
    }).catch(() => false)
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      if (this.#over) throw this.#over
      if (this.#attached) throw taken(this.#attached.command)
      try {
        return await work()
      } catch (error) {
        if (error instanceof Fault && FINAL.has(error.code)) this.#over = over(error)
        throw error
      }
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  #scene(command: string): Scene {
    return { reader: this.port.reader, command, from: this.port.reader.length }
  }

  async #result(report: Report, began: number, scene: Scene, limits: Limits): Promise<RunResult> {
    const durationMs = performance.now() - began
    const deadline = Math.max(limits.deadline, performance.now() + TRANSFER + report.size.bytes / SLOWEST)
    const { output: bytes, to } = await this.#loop.output(report, scene, { ...limits, deadline })
    return { exitCode: report.exitCode, output: bytes.toString(), bytes, durationMs, from: scene.from, to }
  }

  /** The time is up: is it the command or the device? Leaves a shell that can be used again, if there is one. */
  async #hanging(started: Started, scene: Scene, timeout: number): Promise<Fault> {
    if (!(await this.#loop.echoes({ deadline: performance.now() + 2 * INTERRUPTED }))) {
      const ended = this.port.reader.source.ended?.()
      return deviceGone(
        scene,
        ended
          ? `the console ended: ${ended}`
          : 'the command did not end, and typed characters are no longer echoed',
      )
    }
    for (const key of [INTERRUPT, QUIT]) {
      await this.port.write(key)
      const limits = { deadline: performance.now() + INTERRUPTED }
      const report = await this.#loop.report(started, scene, limits)
      if (!report) continue
      const transfer = { deadline: performance.now() + TRANSFER }
      const output = await this.#loop.output(report, scene, transfer).catch(() => undefined)
      const recovered = (await this.#loop.query(scene, transfer)) !== undefined
      if (!recovered) break
      return commandTimeout(scene, timeout, { recovered, output: output?.output.toString() })
    }
    const fault = commandTimeout(scene, timeout, { recovered: false, output: undefined })
    this.#over = over(fault)
    return fault
  }

  /** After an aborted wait: interrupts what still runs, so that the next command finds a shell. */
  async #settle(scene: Scene): Promise<void> {
    if (!this.#unsettled) return
    for (const key of [INTERRUPT, INTERRUPT, QUIT]) {
      await this.port.write(key)
      if (await this.#loop.query(scene, { deadline: performance.now() + INTERRUPTED })) {
        this.#unsettled = false
        return
      }
    }
    throw shellEnded(scene, 'an earlier command was abandoned, and cannot be interrupted')
  }
}

/** After these there is no shell any more. */
const FINAL = new Set(['shell.device.gone', 'shell.ended'])

function over(fault: Fault): Fault {
  return new Fault({
    code: fault.code === 'shell.device.gone' ? fault.code : 'shell.ended',
    culprit: fault.culprit,
    expected: 'a shell that is still there',
    seen: `it was lost before (${fault.id}): ${fault.seen}`,
    next: 'log in again once the device is back',
    cause: fault,
  })
}

function taken(command: string): Fault {
  return new Fault({
    code: 'shell.attached',
    culprit: 'test',
    expected: 'a terminal of its own for the command',
    seen: `${shown(command)} has the terminal`,
    next: 'detach first',
  })
}
