import type { Duplex } from 'node:stream'
import { Fault } from '../fault/fault.js'

/** An event of QEMU (QMP specification, "Asynchronous events"); `at` in epoch ms by QEMU's clock. */
export interface QmpEvent {
  event: string
  data: Readonly<Record<string, unknown>>
  at: number
}

interface Message {
  QMP?: unknown
  id?: number
  return?: unknown
  error?: { class: string; desc: string }
  event?: string
  data?: Record<string, unknown>
  timestamp?: { seconds: number; microseconds: number }
}

interface Pending {
  command: string
  resolve: (value: unknown) => void
  reject: (fault: Fault) => void
  timer: NodeJS.Timeout
}

const DEFAULT_LIMIT = 30_000

/** A client of the QEMU Machine Protocol over a connected stream; requests may overlap. */
export class QmpClient {
  readonly #stream: Duplex
  readonly #pending = new Map<number, Pending>()
  readonly #listeners = new Set<(event: QmpEvent) => void>()
  /** Resolves when the connection has ended and all that came over it was delivered. */
  readonly closed: Promise<void>
  #greeted!: () => void
  #isClosed = false
  #text = ''
  #nextId = 1

  private constructor(stream: Duplex) {
    this.#stream = stream
    stream.setEncoding('utf8')
    this.closed = new Promise(resolve => {
      stream.once('close', () => {
        this.#end()
        resolve()
      })
    })
    stream.once('end', () => this.#end())
    // The peer being killed resets the connection; what waits is told by `close`.
    stream.on('error', () => {})
  }

  /** Waits for QEMU's greeting and enters command mode. @throws Fault `qmp.closed` or `qmp.silent`; `limit` in ms */
  static async connect(stream: Duplex, limit = DEFAULT_LIMIT): Promise<QmpClient> {
    const client = new QmpClient(stream)
    const greeting = new Promise<void>(resolve => (client.#greeted = resolve))
    stream.on('data', (text: string) => client.#read(text))
    let timer: NodeJS.Timeout | undefined
    await Promise.race([
      greeting,
      client.closed.then(() => Promise.reject(closed('greeting'))),
      new Promise<never>((_, reject) => (timer = setTimeout(() => reject(silent('greeting', limit)), limit))),
    ]).finally(() => clearTimeout(timer))
    await client.execute('qmp_capabilities', {}, limit)
    return client
  }

  /**
   * Runs a command and returns what it returns.
   *
   * @param limit in ms
   * @throws Fault `qmp.refused` with QEMU's class and description, `qmp.closed`, `qmp.silent`
   */
  execute<T = unknown>(
    command: string,
    args: Record<string, unknown> = {},
    limit = DEFAULT_LIMIT,
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#isClosed) return reject(closed(command))
      const id = this.#nextId++
      const timer = setTimeout(() => {
        this.#pending.delete(id)
        reject(silent(command, limit))
      }, limit)
      this.#pending.set(id, { command, resolve: resolve as (value: unknown) => void, reject, timer })
      this.#stream.write(`${JSON.stringify({ execute: command, arguments: args, id })}\n`)
    })
  }

  /** Calls `listener` for each event from now on; the returned function stops that. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  close(): Promise<void> {
    this.#stream.destroy()
    return this.closed
  }

  #read(text: string): void {
    const lines = (this.#text + text).split('\n')
    this.#text = lines.pop()!
    for (const line of lines) if (line.trim()) this.#take(JSON.parse(line) as Message)
  }

  #take(message: Message): void {
    if (message.QMP) return this.#greeted()
    if (message.event !== undefined) {
      const { seconds, microseconds } = message.timestamp!
      const event = {
        event: message.event,
        data: message.data ?? {},
        at: seconds * 1000 + microseconds / 1000,
      }
      for (const listener of [...this.#listeners]) listener(event)
      return
    }
    const pending = this.#pending.get(message.id!)
    if (!pending) return
    this.#pending.delete(message.id!)
    clearTimeout(pending.timer)
    if (message.error) pending.reject(refused(pending.command, message.error))
    else pending.resolve(message.return)
  }

  #end(): void {
    this.#isClosed = true
    for (const { command, reject, timer } of this.#pending.values()) {
      clearTimeout(timer)
      reject(closed(command))
    }
    this.#pending.clear()
  }
}

function refused(command: string, error: { class: string; desc: string }): Fault {
  return new Fault({
    code: 'qmp.refused',
    culprit: 'harness',
    expected: `QEMU to accept ${command}`,
    seen: `${error.class}: ${error.desc}`,
    next: 'report this with the run folder: the harness should ask only for what QEMU can do',
  })
}

function closed(command: string): Fault {
  return new Fault({
    code: 'qmp.closed',
    culprit: 'lab',
    expected: `QEMU to answer ${command}`,
    seen: 'its control connection is closed: it has ended',
    next: 'look at the end of its error output in the record',
  })
}

function silent(command: string, limit: number): Fault {
  return new Fault({
    code: 'qmp.silent',
    culprit: 'lab',
    expected: `QEMU to answer ${command}`,
    seen: `no answer within ${limit} ms`,
    next: 'see whether the host is overloaded; cutting the power still works',
  })
}
