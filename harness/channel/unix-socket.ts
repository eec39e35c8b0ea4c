import { createConnection, type Socket } from 'node:net'
import { Fault } from '../fault/fault.js'
import type { Channel } from './channel.js'

/**
 * Connects to a listening unix socket, e.g. the serial chardev of a QEMU.
 *
 * @param options.timeout in ms. A socket that does not exist (yet) fails at once: waiting for it is the caller's.
 * @throws Fault `channel.connect.refused` or `channel.connect.timeout`, culprit harness
 */
export async function connectUnix(path: string, options: { timeout: number }): Promise<Channel> {
  const socket = createConnection(path)
  // Paused from the first byte on, so that nothing is lost before there is a listener.
  socket.pause()
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      socket.destroy()
      reject(refused('channel.connect.timeout', path, `no connection within ${options.timeout} ms`))
    }, options.timeout)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.removeAllListeners('error')
      resolve()
    })
    socket.once('error', error => {
      clearTimeout(timer)
      reject(refused('channel.connect.refused', path, error.message, error))
    })
  })
  return new SocketChannel(socket, path)
}

/** A connected stream socket as a channel. */
export class SocketChannel implements Channel {
  readonly #socket: Socket
  readonly #name: string
  readonly #closeListeners: ((error?: Error) => void)[] = []
  #error: Error | undefined
  #closed = false

  /** `socket` is connected, paused and from now on owned by the channel; `name` stands in its faults. */
  constructor(socket: Socket, name: string) {
    this.#socket = socket
    this.#name = name
    socket.on('error', error => (this.#error ??= error))
    socket.on('close', () => {
      this.#closed = true
      for (const listener of this.#closeListeners.splice(0)) listener(this.#error)
    })
  }

  onData(listener: (chunk: Buffer) => void): void {
    this.#socket.on('data', listener)
    this.#socket.resume()
  }

  onClose(listener: (error?: Error) => void): void {
    if (this.#closed) queueMicrotask(() => listener(this.#error))
    else this.#closeListeners.push(listener)
  }

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      if (this.#closed || this.#socket.destroyed || this.#socket.writableEnded) {
        reject(closed(this.#name))
        return
      }
      this.#socket.write(bytes, error => (error ? reject(closed(this.#name, error)) : resolve()))
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    await new Promise<void>(resolve => {
      this.#socket.once('close', () => resolve())
      this.#socket.destroy()
    })
  }
}

function refused(code: string, path: string, seen: string, cause?: Error): Fault {
  return new Fault({
    code,
    culprit: 'harness',
    where: path,
    expected: 'a program listening on the socket',
    seen,
    next: 'see whether the program behind the socket is running',
    ...(cause && { cause }),
  })
}

function closed(name: string, cause?: Error): Fault {
  return new Fault({
    code: 'channel.closed',
    culprit: 'harness',
    where: name,
    expected: 'an open channel',
    seen: 'a write after the channel had ended',
    next: 'look at what ended it: power-off, a lost QEMU or a closed session',
    ...(cause && { cause }),
  })
}
