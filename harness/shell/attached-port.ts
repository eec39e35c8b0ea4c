import { Fault } from '../fault/fault.js'
import { RecordingReader } from '../console/reader.js'
import { AttachedSource } from './attached-source.js'
import type { ShellPort } from './port.js'
import type { RemoteLoop, Started } from './remote-loop.js'
import type { Scene } from './words.js'

/** Ms for the program to end, after its escape. */
const LEAVE = 4000

/** The line to what a program on a shell's terminal talks to, e.g. the guest behind `xl console`, until it is detached. */
export class AttachedPort implements ShellPort, AsyncDisposable {
  readonly reader: RecordingReader
  readonly command: string
  /** Where in the recording what is behind the program begins to speak. */
  readonly from: number
  readonly #source: AttachedSource
  readonly #outer: ShellPort
  readonly #loop: RemoteLoop
  readonly #started: Started
  readonly #scene: Scene
  readonly #escape: string
  readonly #released: (usable: boolean) => void
  #left = false

  constructor(
    outer: ShellPort,
    loop: RemoteLoop,
    started: Started,
    scene: Scene,
    escape: string,
    released: (usable: boolean) => void,
  ) {
    this.command = scene.command
    this.from = started.at
    this.#source = new AttachedSource(outer.reader, started.id, scene.command, started.at)
    this.reader = new RecordingReader(outer.reader.folder, this.#source)
    this.#outer = outer
    this.#loop = loop
    this.#started = started
    this.#scene = scene
    this.#escape = escape
    this.#released = released
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (this.#left) throw this.#fault('shell.attached.left', 'test', 'a write after it was detached')
    await this.#outer.write(bytes)
  }

  /** Leaves the program by its escape and gives the terminal back to the outer shell, which is shown to answer. */
  async detach(): Promise<{ exitCode: number }> {
    if (this.#left) throw this.#fault('shell.attached.left', 'test', 'it was detached before')
    let report = await this.#ended(0)
    for (let attempt = 0; attempt < 3 && !report; attempt++) {
      await this.#outer.write(Buffer.from(this.#escape))
      report = await this.#ended(LEAVE)
    }
    this.#left = true
    const usable = report && (await this.#loop.query(this.#scene, { deadline: performance.now() + LEAVE }))
    this.#released(usable !== undefined)
    this.#source[Symbol.dispose]()
    this.reader[Symbol.dispose]()
    if (report && usable) return { exitCode: report.exitCode }
    throw this.#fault(
      'shell.detach.failed',
      'product',
      report ? 'the outer shell does not answer' : 'the program did not end at its escape',
    )
  }

  async #ended(timeout: number) {
    return this.#loop.report(this.#started, this.#scene, {
      deadline: performance.now() + timeout,
      foreign: true,
    })
  }

  #fault(code: string, culprit: 'test' | 'product', seen: string): Fault {
    return new Fault({
      code,
      culprit,
      expected: `the terminal back from ${this.command}`,
      seen,
      next: 'see the console',
      evidence: this.#outer.reader.lastLines(15, this.from),
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#left) await this.detach()
  }
}
