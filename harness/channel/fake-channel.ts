import type { Channel } from './channel.js'

/** A channel for tests: the test is the device. */
export class FakeChannel implements Channel {
  readonly written: Buffer[] = []
  #data: ((chunk: Buffer) => void) | undefined
  readonly #close: ((error?: Error) => void)[] = []
  readonly #early: Buffer[] = []

  /** The device says something. */
  say(bytes: string | Buffer): void {
    const chunk = Buffer.from(bytes as string)
    if (this.#data) this.#data(chunk)
    else this.#early.push(chunk)
  }

  /** The device is gone. */
  vanish(error?: Error): void {
    for (const listener of this.#close.splice(0)) listener(error)
  }

  onData(listener: (chunk: Buffer) => void): void {
    this.#data = listener
    for (const chunk of this.#early.splice(0)) listener(chunk)
  }

  onClose(listener: (error?: Error) => void): void {
    this.#close.push(listener)
  }

  async write(bytes: Uint8Array): Promise<void> {
    this.written.push(Buffer.from(bytes))
  }

  async close(): Promise<void> {
    this.vanish()
  }
}
