import type { BytePattern } from './pattern.js'

/** A match is found whatever the chunks, if it is no longer than this many bytes. */
export const WINDOW = 4096
/** Scanned text kept before the window, for look-behind and word borders. */
const CONTEXT = 64

export interface Hit {
  /** Which pattern. */
  index: number
  /** Offsets from where the search began, in bytes. */
  from: number
  to: number
  match: RegExpExecArray | undefined
}

/**
 * Searches a stream of bytes, given in chunks of any size, for the first of several patterns.
 *
 * What a chunk costs is bounded by its own length and the window: nothing older is looked at again. A literal of any
 * length is found across any chunks; a match of a regular expression if it is at most {@link WINDOW} bytes long, or
 * comes in one chunk. The match that starts first wins, at the same place the pattern given first; a pattern that is
 * complete does not wait for another that could still become so.
 */
export class Search {
  readonly #patterns: readonly BytePattern[]
  readonly #back: readonly number[]
  readonly #keep: number
  #text = ''
  /** Where `#text` begins. */
  #offset = 0

  constructor(patterns: readonly BytePattern[]) {
    this.#patterns = patterns
    this.#back = patterns.map(p => (p.kind === 'literal' ? p.bytes.length - 1 : WINDOW))
    this.#keep = Math.max(
      0,
      ...patterns.map(p => (p.kind === 'literal' ? p.bytes.length - 1 : WINDOW + CONTEXT)),
    )
  }

  /** Takes the next bytes, one character each. After a hit the search is over. */
  feed(chunk: string): Hit | undefined {
    const scanned = this.#text.length
    const text = this.#text + chunk
    let best: Hit | undefined
    for (const [index, pattern] of this.#patterns.entries()) {
      const hit = find(pattern, text, Math.max(0, scanned - this.#back[index]!))
      if (hit && (!best || hit.from < best.from)) best = { index, ...hit }
    }
    if (best) return { ...best, from: best.from + this.#offset, to: best.to + this.#offset }
    const cut = Math.max(0, text.length - this.#keep)
    this.#text = text.slice(cut)
    this.#offset += cut
    return undefined
  }
}

function find(pattern: BytePattern, text: string, start: number): Omit<Hit, 'index'> | undefined {
  if (pattern.kind === 'literal') {
    const from = text.indexOf(pattern.bytes, start)
    return from === -1 ? undefined : { from, to: from + pattern.bytes.length, match: undefined }
  }
  pattern.regexp.lastIndex = start
  const match = pattern.regexp.exec(text)
  return match ? { from: match.index, to: match.index + match[0].length, match } : undefined
}
