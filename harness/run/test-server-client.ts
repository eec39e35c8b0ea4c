import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { request } from 'node:http'
import type { Socket } from 'node:net'

/**
 * The least that talks to Playwright's test server as an editor does: JSON messages `{id, method, params}` over a
 * WebSocket (RFC 6455; Node 20 has no client for it).
 */
export class TestServerClient implements Disposable {
  private id = 0
  private received = Buffer.alloc(0)
  private readonly calls = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()

  private constructor(private readonly socket: Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.received = Buffer.concat([this.received, chunk])
      this.takeFrames()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      for (const { reject } of this.calls.values()) reject(new Error('the test server hung up'))
    })
  }

  static async connect(url: string): Promise<TestServerClient> {
    const asking = request(url.replace(/^ws/, 'http'), {
      headers: {
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': randomBytes(16).toString('base64'),
      },
    })
    asking.end()
    const [, socket] = (await once(asking, 'upgrade')) as [unknown, Socket]
    return new TestServerClient(socket)
  }

  call(method: string, params: object): Promise<unknown> {
    const id = ++this.id
    const answer = new Promise((resolve, reject) => this.calls.set(id, { resolve, reject }))
    this.socket.write(textFrame(JSON.stringify({ id, method, params })))
    return answer
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }

  /** A server's frames are not masked, and this one does not split messages. */
  private takeFrames(): void {
    while (this.received.length >= 2) {
      const short = this.received[1]! & 0x7f
      const header = short === 126 ? 4 : short === 127 ? 10 : 2
      if (this.received.length < header) return
      const length =
        short === 126
          ? this.received.readUInt16BE(2)
          : short === 127
            ? Number(this.received.readBigUInt64BE(2))
            : short
      if (this.received.length < header + length) return
      const isText = (this.received[0]! & 0x0f) === 1
      const payload = this.received.subarray(header, header + length)
      if (isText) this.take(JSON.parse(payload.toString()) as Answer)
      this.received = this.received.subarray(header + length)
    }
  }

  private take({ id, result, error }: Answer): void {
    const call = id === undefined ? undefined : this.calls.get(id)
    if (error !== undefined) call?.reject(new Error(JSON.stringify(error)))
    else call?.resolve(result)
  }
}

interface Answer {
  id?: number
  result?: unknown
  error?: unknown
}

function textFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  const header = Buffer.alloc(payload.length < 126 ? 2 : 4)
  header[0] = 0x81
  header[1] = 0x80 | (payload.length < 126 ? payload.length : 126)
  if (payload.length >= 126) header.writeUInt16BE(payload.length, 2)
  return Buffer.concat([header, mask, payload.map((byte, index) => byte ^ mask[index % 4]!)])
}
