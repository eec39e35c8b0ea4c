import { closeSync, mkdirSync, openSync, writeSync, writevSync } from 'node:fs'
import { join } from 'node:path'
import type { Channel } from '../channel/channel.js'
import { Fault } from '../fault/fault.js'
import { Listeners, type GrowthSource, type Mark } from './growth.js'

/** Raw bytes of the console, as they came. */
export const LOG_FILE = 'console.log'
/** JSON lines: `{offset, length, ms, at}` for each chunk, `{mark, offset, ms, at, text}` for each mark. */
export const INDEX_FILE = 'console.index'

/** Bytes held back for one write at most; beyond that they are written at once. */
const BATCH = 64 * 1024

interface Chunk {
  offset: number
  length: number
  ms: number
  at: number
}

/**
 * The one reader of a console's channel: appends all that comes to a folder, with its time, from power-on to release.
 * Chunks of one turn of the event loop are written together; a length is announced only when the bytes are in the file.
 */
export class Recording implements GrowthSource {
  readonly folder: string
  readonly #log: number
  readonly #index: number
  readonly #began = performance.now()
  readonly #grow = new Listeners<number>()
  readonly #end = new Listeners<string>()
  readonly #mark = new Listeners<Mark>()
  #length = 0
  #bytes: Buffer[] = []
  #chunks: Chunk[] = []
  #pending = 0
  #scheduled: NodeJS.Immediate | undefined
  #channel: Channel | undefined
  #ended: string | undefined
  #closed = false

  private constructor(folder: string, log: number, index: number) {
    this.folder = folder
    this.#log = log
    this.#index = index
  }

  /** Begins a recording in `folder`, which is made. @throws Fault `console.recording.exists`: one is never overwritten */
  static create(folder: string): Recording {
    mkdirSync(folder, { recursive: true })
    try {
      const log = openSync(join(folder, LOG_FILE), 'ax')
      return new Recording(folder, log, openSync(join(folder, INDEX_FILE), 'ax'))
    } catch (error) {
      throw new Fault({
        code: 'console.recording.exists',
        culprit: 'harness',
        where: folder,
        expected: 'a folder without a recording that can be written to',
        seen: (error as Error).message,
        next: 'use a new folder for each recording',
        cause: error,
      })
    }
  }

  /** Drains `channel` from now on; another may follow when it has ended (a QEMU has a new one per power-on). */
  attach(channel: Channel): void {
    this.#channel = channel
    this.#ended = undefined
    channel.onData(chunk => this.#take(chunk))
    channel.onClose(error => {
      if (this.#channel !== channel) return
      this.#channel = undefined
      this.end(error ? `the console broke: ${error.message}` : 'the console was closed')
    })
  }

  /** Where writes to the device go: the channel attached now. */
  get channel(): Channel | undefined {
    return this.#channel
  }

  #take(chunk: Buffer): void {
    if (this.#closed || chunk.length === 0) return
    const ms = Math.round((performance.now() - this.#began) * 1000) / 1000
    const last = this.#chunks.at(-1)
    if (last && ms - last.ms < 1) last.length += chunk.length
    else {
      this.#chunks.push({ offset: this.#length + this.#pending, length: chunk.length, ms, at: Date.now() })
    }
    this.#bytes.push(chunk)
    this.#pending += chunk.length
    if (this.#pending >= BATCH) this.flush()
    else this.#scheduled ??= setImmediate(() => this.flush())
  }

  /** Writes what is held back, and announces it. */
  flush(): void {
    if (this.#scheduled) clearImmediate(this.#scheduled)
    this.#scheduled = undefined
    if (this.#pending === 0) return
    const [bytes, chunks, pending] = [this.#bytes, this.#chunks, this.#pending]
    this.#bytes = []
    this.#chunks = []
    this.#pending = 0
    writeAll(this.#log, bytes, pending)
    writeSync(this.#index, chunks.map(chunk => `${JSON.stringify(chunk)}\n`).join(''))
    this.#length += pending
    this.#grow.tell(this.#length)
  }

  /** Notes that something happened here: `boot`, `reset`, `power-off`, `gap`, ... */
  mark(kind: string, text = ''): Mark {
    this.flush()
    const ms = Math.round((performance.now() - this.#began) * 1000) / 1000
    const mark: Mark = { mark: kind, offset: this.#length, ms, at: Date.now(), text }
    if (this.#closed) return mark
    writeSync(this.#index, `${JSON.stringify(mark)}\n`)
    this.#mark.tell(mark)
    return mark
  }

  /** Tells all who wait that nothing will come until a channel is attached again; also written as mark `end`. */
  end(reason: string): void {
    if (this.#ended !== undefined || this.#closed) return
    this.mark('end', reason)
    this.#ended = reason
    this.#end.tell(reason)
  }

  length(): number {
    return this.#length
  }

  ended(): string | undefined {
    return this.#ended
  }

  onGrow(listener: (length: number) => void): () => void {
    return this.#grow.add(listener)
  }

  onEnd(listener: (reason: string) => void): () => void {
    return this.#end.add(listener)
  }

  onMark(listener: (mark: Mark) => void): () => void {
    return this.#mark.add(listener)
  }

  /** Ends the recording, and all waits on it. The channel is left to its owner; what still comes from it is dropped. */
  close(): void {
    if (this.#closed) return
    this.flush()
    this.end('the recording was closed')
    this.#closed = true
    closeSync(this.#log)
    closeSync(this.#index)
  }
}

function writeAll(fd: number, bytes: Buffer[], total: number): void {
  if (writevSync(fd, bytes) === total) return
  // A short write is as good as a full disk: the second attempt says so by its error.
  throw new Fault({
    code: 'console.recording.short',
    culprit: 'harness',
    expected: `${total} bytes written to the recording`,
    seen: 'the file took fewer: the disk is full',
    next: 'free disk space',
  })
}
