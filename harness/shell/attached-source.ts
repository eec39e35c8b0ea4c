import { Listeners, type GrowthSource } from '../console/growth.js'
import type { RecordingReader } from '../console/reader.js'

/**
 * What a program on a shell's terminal lets through, as a console of its own: it ends where the shell reports that the
 * program has ended, so that nobody takes the shell for what was behind the program.
 */
export class AttachedSource implements GrowthSource, Disposable {
  readonly #outer: RecordingReader
  readonly #report: RegExp
  readonly #command: string
  readonly #grow = new Listeners<number>()
  readonly #end = new Listeners<string>()
  readonly #off: (() => void)[]
  #searched: number
  #endsAt: number | undefined
  #ended: string | undefined

  /** @param id of the command, in the shell's report; @param from where in the recording it was started */
  constructor(outer: RecordingReader, id: string, command: string, from: number) {
    this.#outer = outer
    this.#command = command
    this.#report = new RegExp(`~${id}<(\\d+):`)
    this.#searched = from
    const { source } = outer
    this.#off = [
      source.onGrow(() => this.#search()),
      source.onEnd?.(reason => this.#over(reason)) ?? (() => {}),
    ]
    this.#search()
  }

  length(): number {
    return this.#endsAt ?? this.#outer.length
  }

  ended(): string | undefined {
    return this.#ended ?? this.#outer.source.ended?.()
  }

  onGrow(listener: (length: number) => void): () => void {
    return this.#grow.add(listener)
  }

  onEnd(listener: (reason: string) => void): () => void {
    return this.#end.add(listener)
  }

  #search(): void {
    if (this.#endsAt !== undefined) return
    const text = this.#outer.readBytes(this.#searched, this.#outer.length).toString('latin1')
    const report = this.#report.exec(text)
    if (!report) {
      // The report may have come in part.
      this.#searched = Math.max(this.#searched, this.#outer.length - LONGEST_REPORT)
      this.#grow.tell(this.length())
      return
    }
    this.#endsAt = this.#searched + report.index
    this.#grow.tell(this.#endsAt)
    this.#over(`"${this.#command}" ended with exit code ${report[1]}`)
  }

  #over(reason: string): void {
    this.#ended ??= reason
    this.#end.tell(reason)
  }

  [Symbol.dispose](): void {
    for (const off of this.#off) off()
  }
}

const LONGEST_REPORT = 16
