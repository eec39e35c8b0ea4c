import { mkdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { MessageConnection } from 'vscode-jsonrpc/node'
import { Fault } from '../fault/fault.js'
import { Journal, JOURNAL } from '../record/journal.js'
import { Device } from './device.js'
import { DevicePool } from './device-pool.js'
import { Failures, type Failed } from './failures.js'
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
    this.pool = new DevicePool(
      (name, request, board) => {
        const told = {
          grown: (length: number, ended: string | undefined) =>
            this.tellAll(connection =>
              connection.sendNotification(protocol.grown, {
                device: name,
                length,
                ...(ended !== undefined && { ended }),
              }),
            ),
          progress: (text: string) => {
            const waiting = this.waiting.get(name)
            if (!waiting) return
            const told = { text: request.workers > 1 ? `${name}: ${text}` : text }
            tell(waiting, connection => connection.sendNotification(protocol.progress, told))
          },
        }
        return new Device(name, request, board, this.journal!, told)
      },
      error => this.noteFault(Fault.wrap(error)),
    )
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
      const failed: Failed = { kind: 'failed', fault: told, carrier: test }
      if (this.failures.add(project, states, failed) === failed) this.noteFault(Fault.from(told), test)
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
    const devices = this.pool.close()
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
    // It may have failed on another device meanwhile.
    const since = this.failures.find(request.project, states)
    if (since) {
      this.pool.giveBack(device.name)
      return since
    }
    this.waiting.set(device.name, connection)
    try {
      return { kind: 'ready', ...(await device.acquire(isolation, states)) }
    } catch (error) {
      const fault = Fault.wrap(error)
      const { range } = device
      // What the lab lacks for one device more does not speak against those that work.
      const others = isOfLab(fault) && (await this.pool.retire(device.name))
      if (!others) this.pool.giveBack(device.name)
      const failed: Failed = {
        kind: 'failed',
        fault: fault.toJSON(),
        carrier: test,
        ...(range && { console: range }),
      }
      const first = others ? failed : this.failures.add(request.project, [], failed)
      if (first === failed) this.noteFault(fault, test)
      return first
    } finally {
      this.waiting.delete(device.name)
    }
  }

  private abandon(device: string, grant: number): void {
    this.pool.find(device)?.abandon(grant)
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

  private tellAll(send: (connection: MessageConnection) => Promise<void>): void {
    for (const connection of this.connections) tell(connection, send)
  }
}

/** A client that has just gone does not miss anything: its connection throws, now or later. */
function tell(connection: MessageConnection, send: (connection: MessageConnection) => Promise<void>): void {
  void (async () => send(connection))().catch(() => {})
}

function isOfLab({ culprit }: Fault): boolean {
  return culprit === 'lab' || culprit === 'harness'
}
