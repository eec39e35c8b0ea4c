import { Fault, type FaultInit } from '../fault/fault.js'
import { GrowthWait, type GrowthWaitOptions } from './growth-wait.js'
import { compile, fromBytes, showPattern, type BytePattern, type Pattern } from './pattern.js'
import type { RecordingReader } from './reader.js'
import { Search, type Hit } from './search.js'

/** Blocks in which the past is read: small first, as most matches are near, then large. */
const FIRST_BLOCK = 4 * 1024
const LAST_BLOCK = 32 * 1024
/** Bytes searched before others get a turn of the event loop. */
const TURN = 1024 * 1024
/** Lines of the console that a fault shows. */
const EVIDENCE_LINES = 15

/** What a fault of a wait says instead, where the caller knows better. */
export type FaultWords = Partial<Pick<FaultInit, 'code' | 'culprit' | 'expected' | 'next'>>

export interface ExpectOptions {
  /** Ms. */
  timeout: number
  signal?: AbortSignal
  /** The wait fails if one of these comes first. */
  not?: readonly Pattern[]
  /** For the time-out. */
  fault?: FaultWords
  /** For a match of `not`. */
  notFault?: FaultWords
  /** Keep waiting while the console is gone, for one that comes back (a power cycle). */
  throughEnd?: boolean
}

/** What was found. Offsets are bytes of the recording: evidence that a report can show. */
export interface Match {
  /** Which of the patterns. */
  index: number
  text: string
  /** The groups of a regular expression, by number (0 is the whole) and by name. */
  match: readonly (string | undefined)[]
  groups: Readonly<Record<string, string | undefined>>
  from: number
  to: number
  /** Where the search began. */
  start: number
  /** The text from `start` to `from`; read from the recording when asked for. */
  readonly before: string
}

/** How a search without a fault ended. */
export type Found = { kind: 'match'; match: Match } | { kind: 'timeout' | 'silence' | 'ended' }

/** A place in a recording, from which one waiter at a time searches forward. The past is matched as well as the future. */
export class Cursor {
  readonly reader: RecordingReader
  #position: number
  #busy = false

  constructor(reader: RecordingReader, position: number) {
    this.reader = reader
    this.#position = position
  }

  get position(): number {
    return this.#position
  }

  /** Moves to byte `offset`, by default the end. */
  seek(offset = this.reader.length): void {
    this.#position = offset
  }

  /** All the text from here to the end as it is now; moves there. */
  take(): string {
    const to = this.reader.length
    const text = this.reader.readBytes(this.#position, to).toString()
    this.#position = to
    return text
  }

  /**
   * Waits for the first match of `patterns` from here on, and moves behind it. See `compile` and `Search` for what
   * patterns can do.
   *
   * @throws Fault `console.expect.timeout`, `console.expect.unwanted` (one of `not` came first), `console.ended`
   *   (power off, QEMU lost: at once), `console.cursor.busy`; the signal's reason when aborted
   */
  async expect(patterns: Pattern | readonly Pattern[], options: ExpectOptions): Promise<Match> {
    const wanted = isList(patterns) ? patterns : [patterns]
    const began = performance.now()
    const start = this.#position
    const found = await this.find([...wanted, ...(options.not ?? [])], options)
    if (found.kind === 'match' && found.match.index < wanted.length) return found.match
    const names = wanted.map(showPattern).join(' or ')
    const about = { names, start, waited: performance.now() - began }
    if (found.kind === 'match') throw this.#unwanted(about, found.match, options.notFault)
    if (found.kind === 'ended') throw this.#ended(about)
    throw this.#timeout(about, options.fault)
  }

  /** As {@link expect}, but tells how it ended, and can also end after `silence` ms in which nothing came. */
  async find(patterns: readonly Pattern[], options: GrowthWaitOptions): Promise<Found> {
    if (this.#busy) throw busy()
    this.#busy = true
    try {
      return await this.#find(patterns.map(compile), options)
    } finally {
      this.#busy = false
    }
  }

  async #find(patterns: readonly BytePattern[], options: GrowthWaitOptions): Promise<Found> {
    const search = new Search(patterns)
    using wait = new GrowthWait(this.reader.source, options)
    const start = this.#position
    const deadline = performance.now() + options.timeout
    let at = start
    let block = FIRST_BLOCK
    let turn = at + TURN
    for (;;) {
      while (at < this.reader.length) {
        const bytes = this.reader.readBytes(at, at + block)
        const hit = search.feed(bytes.toString('latin1'))
        if (hit) return { kind: 'match', match: this.#matched(hit, start) }
        at += bytes.length
        block = Math.min(block * 2, LAST_BLOCK)
        if (at < turn) continue
        turn = at + TURN
        await new Promise(resolve => setImmediate(resolve))
        options.signal?.throwIfAborted()
        if (performance.now() > deadline) return { kind: 'timeout' }
      }
      const growth = await wait.next(at)
      if (growth !== 'grown') return { kind: growth }
    }
  }

  #matched(hit: Hit, start: number): Match {
    const { reader } = this
    const [from, to] = [start + hit.from, start + hit.to]
    this.#position = to
    const text = reader.readBytes(from, to).toString()
    const groups = Object.entries(hit.match?.groups ?? {}).map(([name, bytes]) => [
      name,
      bytes && fromBytes(bytes),
    ])
    return {
      index: hit.index,
      text,
      match: hit.match ? Array.from(hit.match, bytes => bytes && fromBytes(bytes)) : [text],
      groups: Object.fromEntries(groups) as Match['groups'],
      from,
      to,
      start,
      get before() {
        return reader.readBytes(start, from).toString()
      },
    }
  }

  #timeout(about: Wait, words: FaultWords = {}): Fault {
    const silence = this.reader.silence()
    return new Fault({
      code: 'console.expect.timeout',
      culprit: 'product',
      expected: `${about.names} on the console`,
      next: 'see the lines below, and the console recording around them',
      ...words,
      seen: `waited ${seconds(about.waited)} for ${about.names}; ${this.#said(about, silence)}`,
      where: this.#range(about),
      evidence: this.#evidence(about),
    })
  }

  #unwanted(about: Wait, match: Match, words: FaultWords = {}): Fault {
    return new Fault({
      code: 'console.expect.unwanted',
      culprit: 'product',
      expected: `${about.names} on the console`,
      next: 'see the lines below, and the console recording around them',
      ...words,
      seen: `${showPattern(match.text)} came first, after ${seconds(about.waited)}`,
      where: `console bytes ${match.from}-${match.to}`,
      evidence: this.reader.lastLines(EVIDENCE_LINES, 0, Math.min(match.to + 200, this.reader.length)),
    })
  }

  #ended(about: Wait): Fault {
    return new Fault({
      code: 'console.ended',
      culprit: 'undecided',
      expected: `${about.names} on the console`,
      seen: `the console ended after ${seconds(about.waited)}: ${this.reader.source.ended?.() ?? 'and came back'}`,
      next: 'see what ended it: a power-off that was asked for, the device itself, or a lost QEMU',
      where: this.#range(about),
      evidence: this.#evidence(about),
    })
  }

  #said(about: Wait, silence: number | undefined): string {
    if (silence === undefined) return 'nothing has ever come'
    const since = this.reader.length > about.start ? '' : 'nothing came since the wait began, '
    return `${since}silent for ${seconds(silence)}`
  }

  #range(about: Wait): string {
    return `console bytes ${about.start}-${this.reader.length}`
  }

  #evidence(about: Wait): string[] {
    const since = this.reader.lastLines(EVIDENCE_LINES, about.start)
    return since.length > 0 ? since : this.reader.lastLines(EVIDENCE_LINES)
  }
}

interface Wait {
  names: string
  start: number
  waited: number
}

function isList(patterns: Pattern | readonly Pattern[]): patterns is readonly Pattern[] {
  return Array.isArray(patterns)
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}

function busy(): Fault {
  return new Fault({
    code: 'console.cursor.busy',
    culprit: 'test',
    expected: 'one wait at a time on a cursor',
    seen: 'a second wait began before the first had ended',
    next: 'await the first one, or use a cursor for each',
  })
}
