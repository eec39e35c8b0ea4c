import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { cleanText, lastLines } from './clean.js'
import { Cursor } from './cursor.js'
import type { GrowthSource, Mark } from './growth.js'
import { GrowthWait, type Growth, type GrowthWaitOptions } from './growth-wait.js'
import { IndexFile, type Moment } from './index-file.js'
import { INDEX_FILE, LOG_FILE } from './recording.js'

/** A line of a recording with its time. */
export interface TimedLine {
  /** Byte offsets; `to` is behind the newline. */
  from: number
  to: number
  /** When its first byte came, epoch ms. */
  at: number
  /** Ms since the boot that it belongs to; without a boot mark, since the recording began. */
  sinceBoot: number
  /** Cleaned of control sequences, without the newline. */
  text: string
}

/** Reads a recording in any process, while it grows or later. */
export class RecordingReader implements Disposable {
  readonly folder: string
  readonly source: GrowthSource
  readonly #log: number
  readonly #index: IndexFile

  /** @param source tells how far the recording has grown; see {@link finished} for one that grows no more */
  constructor(folder: string, source: GrowthSource) {
    this.folder = folder
    this.source = source
    this.#log = openSync(join(folder, LOG_FILE), 'r')
    this.#index = new IndexFile(join(folder, INDEX_FILE))
  }

  get length(): number {
    return this.source.length()
  }

  /** The bytes from `from` to before `to`, as far as they are there. */
  readBytes(from: number, to: number): Buffer {
    const start = Math.max(0, from)
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(to, this.length) - start))
    let done = 0
    while (done < bytes.length) {
      const count = readSync(this.#log, bytes, done, bytes.length - done, start + done)
      if (count === 0) break
      done += count
    }
    return bytes.subarray(0, done)
  }

  /** A cursor at byte `from`: by default the end, so that it sees only what comes from now on. */
  cursor(from = this.length): Cursor {
    return new Cursor(this, from)
  }

  /** Resolves when there are more than `beyond` bytes, when the console ends, or after `timeout` ms. Throws the signal's reason. */
  async grown(beyond: number, options: GrowthWaitOptions): Promise<Growth> {
    using wait = new GrowthWait(this.source, options)
    return await wait.next(beyond)
  }

  /** When the byte at `offset` arrived. */
  momentOf(offset: number): Moment | undefined {
    return this.#index.momentOf(offset)
  }

  marks(): readonly Mark[] {
    return this.#index.marks()
  }

  /** How long nothing has come, in ms; undefined when nothing ever has. */
  silence(): number | undefined {
    const last = this.length === 0 ? undefined : this.momentOf(this.length - 1)
    return last && Math.max(0, Date.now() - last.at)
  }

  /** The last lines before `to`, cleaned, not older than `from`. */
  lastLines(count: number, from = 0, to = this.length): string[] {
    // Lines may be long, or hold nothing that a person would see.
    for (let size = count * 300; ; size *= 4) {
      const lines = lastLines(this.readBytes(Math.max(from, to - size), to), count)
      if (lines.length === count || to - size <= from || size > 64 * 1024) return lines
    }
  }

  /** Each line that begins in the range, with its time: for reports. */
  *linesWithTimes(from = 0, to = this.length): Generator<TimedLine> {
    const boots = this.marks().filter(mark => mark.mark === 'boot')
    let boot = -1
    for (const line of this.#lines(from, to)) {
      while (boot + 1 < boots.length && boots[boot + 1]!.offset <= line.from) boot++
      const moment = this.momentOf(line.from) ?? { ms: 0, at: 0 }
      yield {
        from: line.from,
        to: line.from + line.bytes.length,
        at: moment.at,
        sinceBoot: moment.ms - (boots[boot]?.ms ?? 0),
        text: cleanText(line.bytes.toString().replace(/\r*\n$/, '')),
      }
    }
  }

  *#lines(from: number, to: number): Generator<{ from: number; bytes: Buffer }> {
    const BLOCK = 64 * 1024
    let held: Buffer[] = []
    let start = from
    for (let at = from; at < to;) {
      const block = this.readBytes(at, Math.min(at + BLOCK, to))
      if (block.length === 0) break
      let begin = 0
      for (let end = block.indexOf(10); end !== -1; end = block.indexOf(10, begin)) {
        const bytes = Buffer.concat([...held, block.subarray(begin, end + 1)])
        held = []
        yield { from: start, bytes }
        start += bytes.length
        begin = end + 1
      }
      if (begin < block.length) held.push(block.subarray(begin))
      at += block.length
    }
    if (held.length > 0) yield { from: start, bytes: Buffer.concat(held) }
  }

  [Symbol.dispose](): void {
    closeSync(this.#log)
  }
}
