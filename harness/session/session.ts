import { mkdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { MessageConnection } from 'vscode-jsonrpc/node'
import { Fault } from '../fault/fault.js'
import { Journal, JOURNAL } from '../record/journal.js'
import { Device } from './device.js'
import { DevicePool } from './device-pool.js'
import { Failures } from './failures.js'
import { protocol, type AcquireParams, type Outcome } from './protocol.js'
import { answer, connectionOver } from './rpc.js'

/** Owner of every board of a run, whatever happens to the processes that use them. */
export class Session {
  private readonly connections = new Set<MessageConnection>()
  private readonly pool: DevicePool<MessageConnection>
  private readonly failures = new Failures()
  /** Who waits for a device, by its name. */
  private readonly waiting = new Map<string, MessageConnection>()
  private journal: Journal | undefined

  /** `onFinished` is called when a client asks the session to end. */
  constructor(private readonly onFinished: (reason: string) => void) {
    this.pool = new DevicePool((name, request, board) => {
      const told = {
        grown: (length: number, ended: string | undefined) =>
          this.tell(connection =>
            connection.sendNotification(protocol.grown, {
              device: name,
              length,
              ...(ended !== undefined && { ended }),
            }),
          ),
        progress: (text: string) => {
          // One that has just gone does not miss anything.
          void this.waiting
            .get(name)
            ?.sendNotification(protocol.progress, {
              text: request.workers > 1 ? `${name}: ${text}` : text,
            })
            .catch(() => {})
        },
      }
      return new Device(name, request, board, this.journal!, told)
    })
  }

  get attached(): number {
    return this.connections.size
  }

  serve(socket: Socket): void {
    const connection = connectionOver(socket)
    /** Grants of this client, by device. */
    const held = new Map<string, number>()
    this.connections.add(connection)
    socket.on('error', () => {})
    connection.onClose(() => {
      this.connections.delete(connection)
      for (const [device, grant] of held) this.abandon(device, grant)
      this.pool.leave(connection)
      connection.dispose()
    })
    answer(connection, protocol.acquire, async params => {
      const outcome = await this.acquire(connection, params)
      if (outcome.kind === 'ready') {
        const { device, grant } = outcome.device
        if (this.connections.has(connection)) held.set(device, grant)
        else this.abandon(device, grant)
      }
      return outcome
    })
    answer(connection, protocol.release, ({ device, grant, failed, shells }) => {
      const length = this.pool.named(device).release(grant, failed, shells)
      held.delete(device)
      this.pool.giveBack(device)
      return length
    })
    answer(connection, protocol.write, ({ device, grant, data }) =>
      this.pool.named(device).write(grant, Buffer.from(data, 'base64')),
    )
    answer(connection, protocol.power, ({ device, grant, action, timeout }) =>
      this.pool.named(device).power(grant, action, timeout),
    )
    answer(connection, protocol.checkpoint, ({ device, grant, name, shells }) =>
      this.pool.named(device).checkpoint(grant, name, shells),
    )
    answer(connection, protocol.rewind, ({ device, grant, name }) =>
      this.pool.named(device).rewind(grant, name),
    )
    answer(connection, protocol.reached, ({ device, grant, states, shells }) =>
      this.pool.named(device).reached(grant, states, shells),
    )
    answer(connection, protocol.unreachable, ({ device, states, fault: told, test }) => {
      const { project } = this.pool.named(device)
      const fault = Fault.from(told)
      const { isFirst } = this.failures.add(project, states, fault, test, undefined)
      if (isFirst) this.noteFault(fault, test)
    })
    answer(connection, protocol.state, ({ device }) => this.pool.named(device).state())
    connection.onRequest(protocol.finish.method, async () => {
      // The client hangs up once it has the answer: only then may this process end.
      connection.onClose(() => this.onFinished('the run is over'))
      await this.close('the run is over')
      return null
    })
    connection.listen()
  }

  /** Powers off and releases every board. */
  async close(reason: string): Promise<void> {
    const devices = this.pool.clear()
    const closed = await Promise.allSettled(devices.map(device => device[Symbol.asyncDispose]()))
    for (const result of closed) {
      if (result.status === 'rejected') this.noteFault(Fault.wrap(result.reason))
    }
    if (devices.length)
      this.journal?.write({ type: 'note', text: `boards released: ${reason}`, at: Date.now() })
  }

  private async acquire(
    connection: MessageConnection,
    { request, test, isolation, states }: AcquireParams,
  ): Promise<Outcome> {
    mkdirSync(request.runFolder, { recursive: true })
    this.journal ??= new Journal(join(request.runFolder, JOURNAL))
    const known = this.failures.find(request.project, states)
    if (known) return known
    const device = await this.pool.take(connection, request)
    this.waiting.set(device.name, connection)
    try {
      return { kind: 'ready', ...(await device.acquire(isolation, states)) }
    } catch (error) {
      const fault = Fault.wrap(error)
      this.pool.giveBack(device.name)
      const { failed, isFirst } = this.failures.add(request.project, [], fault, test, device.range)
      if (isFirst) this.noteFault(fault, test)
      return failed
    } finally {
      this.waiting.delete(device.name)
    }
  }

  private abandon(device: string, grant: number): void {
    this.pool.named(device).abandon(grant)
    this.pool.giveBack(device)
  }

  private noteFault(fault: Fault, test?: string): void {
    this.journal?.write({
      type: 'fault',
      fault: fault.toJSON(),
      at: Date.now(),
      ...(test !== undefined && { test }),
    })
  }

  private tell(send: (connection: MessageConnection) => Promise<void>): void {
    // A client that has just gone does not miss anything.
    for (const connection of this.connections) void send(connection).catch(() => {})
  }
}
