import type { BoardEvent } from '../board/board.js'
import type { Fault } from '../fault/fault.js'
import { Listeners } from '../console/growth.js'
import type { Recording } from '../console/recording.js'
import type { RecordingReader } from '../console/reader.js'
import { ConsoleWatch } from '../console/watch.js'
import type { Journal } from '../record/journal.js'
import type { Boot, Finding } from '../record/record.js'
import { boardLost } from './gone.js'

/** A board whose console has ended has so long to say why, ms. */
const REASON_MS = 2_000

/** Keeps the boots of one device and what was found on its console, and writes both down as they happen. */
export class Boots {
  readonly all: Boot[] = []
  readonly findings: Finding[] = []
  /** Called for a finding that the device cannot go on from. */
  onFatal: (finding: Finding) => void = () => {}

  /** Why the board was lost the last time. */
  lost: Fault | undefined

  private readonly watch: ConsoleWatch
  private readonly ends = new Listeners<undefined>()
  private looked = 0

  constructor(
    private readonly device: string,
    private readonly board: string,
    private readonly recording: Recording,
    reader: RecordingReader,
    private readonly journal: Journal,
  ) {
    this.watch = new ConsoleWatch({
      onStage: (name, offset) => this.reach(name, offset),
      onFinding: ({ code, severity, culprit }, line, offset) => {
        const finding: Finding = { code, severity, culprit, line, offset, at: Date.now() }
        this.findings.push(finding)
        this.journal.write({ type: 'finding', device, ...finding })
        if (severity === 'fatal') this.onFatal(finding)
      },
    })
    recording.onGrow(length => {
      this.watch.push(reader.readBytes(this.looked, length), this.looked)
      this.looked = length
    })
  }

  get current(): Boot | undefined {
    return this.all.at(-1)
  }

  /** The last stage that the current boot has reached. */
  get stage(): string | undefined {
    return this.current?.stages.at(-1)?.name
  }

  onEvent(event: BoardEvent): void {
    switch (event.kind) {
      case 'power-on':
        return this.begin('power-on')
      case 'restore':
        this.end('restore')
        return this.begin('restore')
      case 'reset':
        this.end(this.sawPanic() ? 'panic' : 'reset')
        return this.begin('reset')
      case 'power-off':
        return this.end('power-cut')
      case 'guest-poweroff':
        return this.end('poweroff')
      case 'guest-panic':
        return this.end('panic')
      case 'lost':
        this.lost = boardLost(this.board, event)
        this.journal.write({ type: 'fault', fault: this.lost.toJSON(), at: event.at })
        return this.end('lost')
    }
  }

  /** What was reached before a state was saved has been reached now that it is restored. */
  resume(stages: readonly string[]): void {
    for (const name of stages) this.reach(name, this.current?.from ?? 0)
  }

  /** Resolves when the current boot has an end; to be asked when its console has ended, which is a moment earlier. */
  async ended(): Promise<void> {
    if (!this.current || this.current.end) return
    await new Promise<void>(resolve => {
      const done = () => {
        clearTimeout(timer)
        stop()
        resolve()
      }
      const stop = this.ends.add(done)
      const timer = setTimeout(done, REASON_MS)
    })
  }

  private reach(name: string, offset: number): void {
    const stage = { name, offset, at: Date.now() }
    this.current?.stages.push(stage)
    this.journal.write({ type: 'stage', device: this.device, ...stage })
  }

  private begin(cause: Boot['cause']): void {
    const mark = this.recording.mark('boot', cause)
    const boot: Boot = {
      ordinal: this.all.length + 1,
      cause,
      startedAt: mark.at,
      from: mark.offset,
      stages: [],
    }
    this.all.push(boot)
    this.watch.restart()
    const { ordinal, startedAt: at, from } = boot
    this.journal.write({ type: 'boot', device: this.device, ordinal, cause, at, from })
  }

  /** The first end counts: a guest that has powered off does not lose power a second time. */
  private end(end: NonNullable<Boot['end']>): void {
    if (!this.current || this.current.end) return
    this.current.end = end
    this.journal.write({ type: 'boot-end', device: this.device, end, at: Date.now() })
    this.ends.tell(undefined)
  }

  private sawPanic(): boolean {
    const from = this.current?.from ?? 0
    return this.findings.some(finding => finding.severity === 'fatal' && finding.offset >= from)
  }
}
