import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import type { Mark } from './growth.js'

/** When a byte arrived: ms since the recording began (monotonic), epoch ms. */
export interface Moment {
  ms: number
  at: number
}

interface Chunk extends Moment {
  offset: number
  length: number
}

/** The times of a recording, read as far as the file goes whenever somebody asks. */
export class IndexFile {
  readonly #path: string
  #read = 0
  #rest = ''
  /** Bytes of the log whose time is known. */
  #covered = 0
  readonly #offsets: number[] = []
  readonly #moments: Moment[] = []
  readonly #marks: Mark[] = []

  constructor(path: string) {
    this.#path = path
  }

  marks(): readonly Mark[] {
    this.#refresh()
    return this.#marks
  }

  /** When the byte at `offset` arrived; for one that is not there yet, the last one's time. */
  momentOf(offset: number): Moment | undefined {
    if (offset >= this.#covered) this.#refresh()
    let low = 0
    let high = this.#offsets.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#offsets[middle]! <= offset) low = middle + 1
      else high = middle
    }
    return this.#moments[low - 1]
  }

  #refresh(): void {
    const fd = openSync(this.#path, 'r')
    try {
      const size = fstatSync(fd).size
      if (size === this.#read) return
      const fresh = Buffer.alloc(size - this.#read)
      this.#read += readSync(fd, fresh, 0, fresh.length, this.#read)
      const lines = (this.#rest + fresh.toString()).split('\n')
      this.#rest = lines.pop()!
      for (const line of lines) this.#take(JSON.parse(line) as Mark | Chunk)
    } finally {
      closeSync(fd)
    }
  }

  #take(entry: Mark | Chunk): void {
    if ('mark' in entry) {
      this.#marks.push(entry)
      return
    }
    this.#offsets.push(entry.offset)
    this.#moments.push({ ms: entry.ms, at: entry.at })
    this.#covered = entry.offset + entry.length
  }
}
