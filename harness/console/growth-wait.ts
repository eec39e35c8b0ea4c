import type { GrowthSource } from './growth.js'

export type Growth = 'grown' | 'timeout' | 'silence' | 'ended'

export interface GrowthWaitOptions {
  /** Ms for all waits together. */
  timeout: number
  /** Ms for each in which nothing comes. */
  silence?: number
  signal?: AbortSignal
  /** Keep waiting while the console is gone. */
  throughEnd?: boolean
}

/** Waits for a recording to grow, again and again: listeners and timers are set up once, as there are many chunks. */
export class GrowthWait implements Disposable {
  readonly #source: GrowthSource
  readonly #options: GrowthWaitOptions
  readonly #stops: (() => void)[] = []
  #silence: NodeJS.Timeout | undefined
  #expired = false
  #beyond = 0
  #settle: ((growth: Growth) => void) | undefined
  #fail: ((reason: unknown) => void) | undefined

  constructor(source: GrowthSource, options: GrowthWaitOptions) {
    this.#source = source
    this.#options = options
    const { signal } = options
    const timer = setTimeout(
      () => {
        this.#expired = true
        this.#end('timeout')
      },
      Math.min(options.timeout, 2 ** 31 - 1),
    )
    this.#stops.push(() => clearTimeout(timer))
    this.#stops.push(source.onGrow(length => length > this.#beyond && this.#end('grown')))
    if (!options.throughEnd && source.onEnd) this.#stops.push(source.onEnd(() => this.#end('ended')))
    if (!signal) return
    const abort = () => this.#fail?.(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    this.#stops.push(() => signal.removeEventListener('abort', abort))
  }

  /** Resolves when there are more than `beyond` bytes, or with why not. Throws the signal's reason. */
  next(beyond: number): Promise<Growth> {
    const { signal, silence, throughEnd } = this.#options
    if (signal?.aborted) return Promise.reject(signal.reason as Error)
    if (this.#source.length() > beyond) return Promise.resolve('grown')
    if (!throughEnd && this.#source.ended?.() !== undefined) return Promise.resolve('ended')
    if (this.#expired) return Promise.resolve('timeout')
    this.#beyond = beyond
    if (silence !== undefined) {
      if (this.#silence) this.#silence.refresh()
      else this.#silence = setTimeout(() => this.#end('silence'), silence)
    }
    return new Promise((resolve, reject) => {
      this.#settle = resolve
      this.#fail = reject
    })
  }

  #end(growth: Growth): void {
    this.#settle?.(growth)
    this.#settle = undefined
    this.#fail = undefined
  }

  [Symbol.dispose](): void {
    for (const stop of this.#stops) stop()
    clearTimeout(this.#silence)
  }
}
