import type { Channel } from '../channel/channel.js'

/** Numbers that look random and are the same for the same seed (mulberry32), from 0 to below 1. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

export interface NoiseOptions {
  random: () => number
  /** Chance per byte that a foreign line lands before it. */
  lines?: number
  /** What such lines are. */
  text?: (n: number) => string
  /** Chance per typed byte that it is lost on its way to the device. */
  drop?: number
  /** Largest chunk in which the device's words come. */
  chunk?: number
}

/** A bad line, for tests: foreign lines at any byte, lost typing, small chunks. */
export class NoisyChannel implements Channel {
  readonly #inner: Channel
  readonly #options: NoiseOptions
  inserted = 0
  dropped = 0

  constructor(inner: Channel, options: NoiseOptions) {
    this.#inner = inner
    this.#options = options
  }

  onData(listener: (chunk: Buffer) => void): void {
    const { random, lines = 0, chunk = Infinity, text = kernelLine } = this.#options
    this.#inner.onData(bytes => {
      const out: Buffer[] = []
      let begin = 0
      for (let at = 0; lines > 0 && at < bytes.length; at++) {
        if (random() >= lines) continue
        out.push(bytes.subarray(begin, at), Buffer.from(text(this.inserted++)))
        begin = at
      }
      const all = Buffer.concat([...out, bytes.subarray(begin)])
      for (let at = 0; at < all.length; at += chunk) {
        listener(all.subarray(at, Math.min(at + chunk, all.length)))
      }
    })
  }

  onClose(listener: (error?: Error) => void): void {
    this.#inner.onClose(listener)
  }

  async write(bytes: Uint8Array): Promise<void> {
    const { random, drop = 0 } = this.#options
    const kept = bytes.filter(() => drop === 0 || random() >= drop)
    this.dropped += bytes.length - kept.length
    if (kept.length > 0) await this.#inner.write(kept)
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

function kernelLine(n: number): string {
  return n % 3 === 0
    ? `(XEN) d1: something of no interest ${n}\r\n`
    : `[   12.${String(n % 1e6).padStart(6, '0')}] eth0: link ${n}\r\n`
}
