import type { Channel } from '../channel/channel.js'
import type { BoardEvent, BoardListener } from './board.js'

/** A board's listener for tests: keeps what it hears and lets a test wait for it. */
export class Witness implements BoardListener {
  /** Console text since the last power-on. */
  text = ''
  readonly events: BoardEvent[] = []
  channel: Channel | undefined
  readonly #waiting = new Set<() => void>()

  onConsole(channel: Channel): void {
    this.text = ''
    this.channel = channel
    channel.onData(chunk => {
      this.text += chunk.toString('latin1')
      this.#wake()
    })
  }

  onEvent(event: BoardEvent): void {
    this.events.push(event)
    this.#wake()
  }

  kinds(): string[] {
    return this.events.map(event => event.kind)
  }

  printed(text: string): Promise<void> {
    return this.#until(() => this.text.includes(text))
  }

  heard(kind: BoardEvent['kind']): Promise<void> {
    return this.#until(() => this.kinds().includes(kind))
  }

  async type(text: string): Promise<void> {
    await this.channel!.write(Buffer.from(text))
  }

  async #until(done: () => boolean): Promise<void> {
    while (!done()) await new Promise<void>(resolve => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
