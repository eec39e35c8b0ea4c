import { FINDINGS, type FindingPattern } from './findings.js'
import { STAGES, stageOrder } from './stages.js'

/** A console line is judged up to this length (bytes); what comes after it on the same line is not looked at. */
const LONGEST_LINE = 4096

export interface WatchListener {
  onStage(name: string, offset: number): void
  onFinding(finding: FindingPattern, line: string, offset: number): void
}

/**
 * Looks at every line of a console for boot stages and findings, in every phase, whether or not a test is waiting.
 * Each line is judged once when it ends; the unfinished last line only for the login prompt, which has no end.
 */
export class ConsoleWatch {
  private partial = ''
  private partialFrom = 0
  private reached = -1

  constructor(private readonly listener: WatchListener) {}

  /** A new boot begins: stages are looked for afresh. */
  restart(): void {
    this.reached = -1
    this.partial = ''
  }

  /** The next bytes of the console; `offset` is the place of the first one in the recording. */
  push(chunk: Uint8Array, offset: number): void {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1')
    if (this.partial === '') this.partialFrom = offset
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      this.judge(this.partial + text.slice(start, end), this.partialFrom)
      start = end + 1
      this.partial = ''
      this.partialFrom = offset + start
    }
    this.partial = (this.partial + text.slice(start)).slice(0, LONGEST_LINE)
    this.lookForStage(this.partial, this.partialFrom, STAGES.length - 1)
  }

  private judge(line: string, offset: number): void {
    this.lookForStage(line, offset, 0)
    const finding = FINDINGS.find(candidate => candidate.pattern.test(line))
    if (finding) this.listener.onFinding(finding, printable(line), offset)
  }

  /** Stages only go forward, and one may be passed unseen (a kernel started directly has no boot loader). */
  private lookForStage(line: string, offset: number, from: number): void {
    for (const stage of STAGES.slice(Math.max(from, this.reached + 1))) {
      if (!stage.pattern.test(line)) continue
      this.reached = stageOrder(stage.name)
      this.listener.onStage(stage.name, offset)
      return
    }
  }
}

function printable(line: string): string {
  return Buffer.from(
    line.replace(/\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f]/g, '').trim(),
    'latin1',
  ).toString('utf8')
}
