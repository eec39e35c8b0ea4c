/** Something that happened on a console at one place of its recording. */
export interface Mark {
  /** `boot` starts a boot; `reset`, `power-off`, `gap`, `end` and others are named by who writes them. */
  mark: string
  /** Byte offset into the recording. */
  offset: number
  /** Ms since the recording began (monotonic). */
  ms: number
  /** Epoch ms. */
  at: number
  text: string
}

/**
 * Tells readers of a recording how far it has grown: the `Recording` itself in its own process, notifications over a
 * socket in any other. Each `on...` returns what takes the listener off again.
 */
export interface GrowthSource {
  /** Bytes that a reader of the file can see now. */
  length(): number
  onGrow(listener: (length: number) => void): () => void
  /** Why there is no console now (power off, QEMU lost); undefined while one is attached or before the first. */
  ended?(): string | undefined
  onEnd?(listener: (reason: string) => void): () => void
  onMark?(listener: (mark: Mark) => void): () => void
}

/** A set of listeners; one that throws is its own problem, not the source's. */
export class Listeners<T> {
  readonly #all = new Set<(value: T) => void>()

  add(listener: (value: T) => void): () => void {
    this.#all.add(listener)
    return () => this.#all.delete(listener)
  }

  tell(value: T): void {
    for (const listener of [...this.#all]) listener(value)
  }
}
