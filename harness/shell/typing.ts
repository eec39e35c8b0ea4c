import { randomBytes } from 'node:crypto'
import { withoutNoise } from './noise.js'
import type { ShellPort } from './port.js'

/** Characters sent ahead of their echo. Xen's console loses some when 150 come at once. */
const MOST_AT_ONCE = 96
const LEAST_AT_ONCE = 8
/** How long an echo may stay away in ms, on the first attempt; each further one waits twice as long. */
const PATIENCE = 1000
/** The same once what was echoed is not what was typed: only a foreign line in the middle could still mend it. */
const PATIENCE_TORN = 150
const ATTEMPTS = 7
const KILL_LINE = '\x15'

/** A short random name that is not in any output by chance. */
export function randomId(): string {
  return [...randomBytes(5)].map(byte => ALPHABET[byte % ALPHABET.length]).join('')
}
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz'

export type Typed = { id: string } | 'no echo' | 'torn' | 'ended'

/**
 * Types lines on a terminal in canonical mode: never far ahead of their echo, and the newline only when all was echoed
 * rightly, so that nothing starts that was not typed rightly. A torn line is killed and typed again, slower.
 */
export class Typist {
  readonly #port: ShellPort
  #atOnce = MOST_AT_ONCE

  constructor(port: ShellPort) {
    this.#port = port
  }

  /** @param line makes the line from an id, which is another for each attempt, so that a late echo is not mistaken */
  async type(
    line: (id: string) => string,
    options: { timeout: number; signal?: AbortSignal; attempts?: number; enter?: boolean },
  ): Promise<Typed> {
    const deadline = performance.now() + options.timeout
    let echoed = false
    for (let attempt = 0; attempt < (options.attempts ?? ATTEMPTS); attempt++) {
      const id = randomId()
      const patience = PATIENCE * 2 ** attempt
      const limits = { deadline, patience, signal: options.signal }
      const text = line(id)
      const result = await this.#attempt(text, id, limits)
      if (result === 'whole') {
        if (options.enter) await this.#enter(text, limits)
        return { id }
      }
      if (result === 'ended') return 'ended'
      echoed ||= result === 'torn'
      this.#atOnce = Math.max(LEAST_AT_ONCE, this.#atOnce >> 1)
      await this.#port.write(Buffer.from(KILL_LINE))
      if (performance.now() >= deadline) break
    }
    return echoed ? 'torn' : 'no echo'
  }

  /** A newline can get lost too; a second one is an empty line, which is nothing to those who read our lines. */
  async #enter(line: string, limits: Wait): Promise<void> {
    const { reader } = this.#port
    const start = Math.max(0, reader.length - 2 * line.length - 1024)
    for (let attempt = 0; attempt < ATTEMPTS && performance.now() < limits.deadline; attempt++) {
      await this.#port.write(Buffer.from('\n'))
      for (;;) {
        const length = reader.length
        const echo = withoutNoise(reader.readBytes(start, length).toString('latin1'))
        if (/[\r\n]/.test(echo.slice(echo.lastIndexOf(line) + line.length)[0] ?? '')) return
        if ((await reader.grown(length, waiting(limits, limits.patience))) !== 'grown') break
      }
    }
  }

  async #attempt(line: string, id: string, limits: Wait): Promise<'whole' | 'torn' | 'no echo' | 'ended'> {
    const { reader } = this.#port
    const start = reader.length
    // The first piece must hold the id, or its echo could be that of an earlier attempt.
    const known = line.indexOf(id) + id.length
    let [typed, echoed] = [0, 0]
    while (echoed < line.length) {
      const until = Math.min(line.length, Math.max(echoed + this.#atOnce, known))
      // A few characters at a time would cost a turn each.
      if (until - typed >= Math.min(this.#atOnce >> 1, line.length - typed)) {
        await this.#port.write(Buffer.from(line.slice(typed, until), 'latin1'))
        typed = until
      }
      const length = reader.length
      const echo = withoutNoise(reader.readBytes(start, length).toString('latin1'))
      const found = echo.includes(line.slice(0, typed)) ? typed : echoedSoFar(echo, line, known)
      if (found > echoed) {
        echoed = found
        continue
      }
      const began = echo.lastIndexOf(line.slice(0, known))
      const torn = began !== -1 && !line.slice(0, typed).startsWith(echo.slice(began))
      const growth = await reader.grown(length, waiting(limits, torn ? PATIENCE_TORN : limits.patience))
      if (growth === 'ended') return 'ended'
      if (growth === 'timeout') return echo.includes(id) || torn || length > start ? 'torn' : 'no echo'
    }
    return 'whole'
  }
}

/** How many characters of `line` the echo ends with, once it has come to the id (its first `known` characters). */
function echoedSoFar(echo: string, line: string, known: number): number {
  const began = echo.lastIndexOf(line.slice(0, known))
  if (began === -1) return 0
  const shown = echo.slice(began)
  return line.startsWith(shown) ? shown.length : 0
}

interface Wait {
  /** By `performance.now()`. */
  deadline: number
  patience: number
  signal: AbortSignal | undefined
}

function waiting(limits: Wait, ms: number): { timeout: number; signal?: AbortSignal } {
  const timeout = Math.max(0, Math.min(ms, limits.deadline - performance.now()))
  return { timeout, ...(limits.signal && { signal: limits.signal }) }
}
