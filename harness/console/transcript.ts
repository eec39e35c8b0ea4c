import type { RecordingReader } from './reader.js'

/** A line is shown up to this length; the recording has all of it. */
const LONGEST_LINE = 1000
const BLOCK = 1024 * 1024

/** Bytes `from` to before `to` of a recording. */
export interface Range {
  from: number
  to: number
}

/** A boot as its recording knows it. */
export interface RecordedBoot {
  ordinal: number
  cause: string
  /** When it began, epoch ms. */
  at: number
  from: number
}

/** The boots that a range has bytes of, oldest first; for an empty one, the boot it lies in. */
export function bootsIn(reader: RecordingReader, { from, to }: Range): RecordedBoot[] {
  const boots = reader
    .marks()
    .filter(({ mark }) => mark === 'boot')
    .map(({ text, at, offset }, index) => ({ ordinal: index + 1, cause: text, at, from: offset }))
  const first = boots.findLastIndex(boot => boot.from <= from)
  return boots.filter((boot, index) => index === first || (boot.from > from && boot.from < to))
}

/**
 * A range as lines for a person: each with its time (UTC) and the seconds since its boot, without control sequences. Each
 * boot is announced. Beyond `most` lines the first and the last are kept, and what is missing between them is named.
 */
export function* transcript(reader: RecordingReader, range: Range, most = Infinity): Generator<string> {
  const boots = bootsIn(reader, range)
  const hole = Number.isFinite(most) ? holeIn(reader, range, most) : undefined
  let announced: RecordedBoot | undefined
  for (const part of hole
    ? [
        { ...range, to: hole.from },
        { ...range, from: hole.to },
      ]
    : [range]) {
    if (hole && part.from === hole.to) {
      yield `---- ${hole.lines} lines left out here: bytes ${hole.from} to ${hole.to} ----`
    }
    for (const { boot, from, to } of cut(part, boots)) {
      if (boot && boot !== announced) yield `---- boot ${boot.ordinal}: ${boot.cause} at ${utc(boot.at)} ----`
      announced = boot
      for (const line of reader.linesWithTimes(from, to)) {
        yield `${utc(line.at).slice(11)} ${elapsed(line.sinceBoot)}  ${shortened(line.text)}`.trimEnd()
      }
    }
  }
}

/** `2026-11-21T10:07:03.846Z` */
export function utc(at: number): string {
  return new Date(at).toISOString()
}

/** At each boot: what a boot prints first follows on the same line when the one before was cut off in the middle of it. */
function cut({ from, to }: Range, boots: readonly RecordedBoot[]): (Range & { boot?: RecordedBoot })[] {
  const before = boots.findLast(boot => boot.from <= from)
  const pieces = [
    { from, ...(before && { boot: before }) },
    ...boots.filter(boot => boot.from > from && boot.from < to).map(boot => ({ from: boot.from, boot })),
  ]
  return pieces.map((piece, index) => ({ ...piece, to: pieces[index + 1]?.from ?? to }))
}

/** What to leave out so that `most` lines remain: half of them from the beginning, half from the end. */
function holeIn(
  reader: RecordingReader,
  { from, to }: Range,
  most: number,
): (Range & { lines: number }) | undefined {
  const tail = Math.ceil(most / 2)
  const head = most - tail
  let count = 0
  let headEnd = to
  /** Where the last lines begin, over and over in the same places: a flood has millions. */
  const tailStarts = new Array<number>(tail)
  const lineAt = (start: number) => {
    if (count === head) headEnd = start
    tailStarts[count % tail] = start
    count++
  }
  if (from < to) lineAt(from)
  for (let at = from; at < to;) {
    const block = reader.readBytes(at, Math.min(at + BLOCK, to))
    if (block.length === 0) break
    for (let end = block.indexOf(10); end !== -1; end = block.indexOf(10, end + 1)) {
      if (at + end + 1 < to) lineAt(at + end + 1)
    }
    at += block.length
  }
  if (count <= most) return undefined
  return { from: headEnd, to: tailStarts[count % tail]!, lines: count - most }
}

function elapsed(ms: number): string {
  return `+${(ms / 1000).toFixed(3)}`.padStart(9)
}

function shortened(text: string): string {
  const beyond = text.length - LONGEST_LINE
  return beyond > 0 ? `${text.slice(0, LONGEST_LINE)}… and ${beyond} more characters` : text
}
