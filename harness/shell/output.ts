import { createHash } from 'node:crypto'
import { cksum } from './cksum.js'
import { noiseIn } from './noise.js'

/** What the device says about a command's output: bytes; the POSIX check sum, or MD5 in hex, where it can tell either. */
export interface Size {
  bytes: number
  sum: number | string | undefined
}

/** More foreign lines than this are not tried one by one. */
const MOST_FRAGMENTS = 8

/**
 * The output as the program wrote it, from what came over the terminal (latin1, one character per byte); undefined
 * when it cannot be had exactly. Undoes the terminal's newline translation, and takes out foreign lines that landed in
 * the middle, for as long as the check sum proves it right.
 */
export function exactOutput(raw: string, size: Size): Buffer | undefined {
  const plain = verified(raw, size)
  if (plain) return plain
  const noise = noiseIn(raw)
  // Without a check sum nothing shows which of several lines is the foreign one.
  if (size.sum === undefined && noise.length > 1) return undefined
  const all = verified(without(raw, noise), size)
  if (all || noise.length > MOST_FRAGMENTS) return all
  for (let chosen = 1; chosen < 1 << noise.length; chosen++) {
    const some = verified(
      without(
        raw,
        noise.filter((_, i) => chosen & (1 << i)),
      ),
      size,
    )
    if (some) return some
  }
  return undefined
}

/** A child in the background may have written more since the size was taken: only what was counted is the output. */
export function proven(bytes: Buffer, size: Size): Buffer | undefined {
  if (bytes.length < size.bytes) return undefined
  const counted = bytes.subarray(0, size.bytes)
  if (size.sum === undefined) return bytes.length === size.bytes ? counted : undefined
  const sum = typeof size.sum === 'number' ? cksum(counted) : createHash('md5').update(counted).digest('hex')
  return sum === size.sum ? counted : undefined
}

/** What is put before a newline on the way: by the device's terminal, and once more by a hypervisor's console. */
const NEWLINES = ['\r\n', '\r\r\n', '\n']

function verified(raw: string, size: Size): Buffer | undefined {
  for (const newline of NEWLINES) {
    const exact = proven(Buffer.from(raw.replaceAll(newline, '\n'), 'latin1'), size)
    if (exact) return exact
  }
  return undefined
}

function without(raw: string, spans: [number, number][]): string {
  let text = ''
  let at = 0
  for (const [from, to] of spans) {
    text += raw.slice(at, from)
    at = to
  }
  return text + raw.slice(at)
}
