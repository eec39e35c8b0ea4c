import { mkdirSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { MessageConnection } from 'vscode-jsonrpc/node'
import { Fault } from '../fault/fault.js'
import { Journal, JOURNAL } from '../record/journal.js'
import { Device } from './device.js'
import { deviceReleased } from './faults.js'
import { protocol, type AcquireParams, type Outcome } from './protocol.js'
import { answer, connectionOver } from './rpc.js'

/** Owner of every board of a run: one device per project, whatever happens to the processes that use them. */
export class Session {
  private readonly connections = new Set<MessageConnection>()
  private readonly devices = new Map<string, Device>()
  /** Boot failures, each with the test that carries it. */
  private readonly carriers = new Map<string, string>()
  private journal: Journal | undefined

  /** `onFinished` is called when a client asks the session to end. */
  constructor(private readonly onFinished: (reason: string) => void) {}

  get attached(): number {
    return this.connections.size
  }

  serve(socket: Socket): void {
    const connection = connectionOver(socket)
    /** Grants of this client, by project. */
    const held = new Map<string, number>()
    this.connections.add(connection)
    socket.on('error', () => {})
    connection.onClose(() => {
      this.connections.delete(connection)
      for (const [project, grant] of held) this.devices.get(project)?.abandon(grant)
      connection.dispose()
    })
    answer(connection, protocol.acquire, async params => {
      const outcome = await this.acquire(params)
      if (outcome.kind === 'ready') {
        const { project, grant } = outcome.device
        held.set(project, grant)
        if (!this.connections.has(connection)) this.deviceOf(project).abandon(grant)
      }
      return outcome
    })
    answer(connection, protocol.release, ({ project, grant, failed, shellKey }) => {
      const length = this.deviceOf(project).release(grant, failed, shellKey)
      held.delete(project)
      return length
    })
    answer(connection, protocol.write, params =>
      this.deviceOf(params.project).write(params.grant, Buffer.from(params.data, 'base64')),
    )
    answer(connection, protocol.power, ({ project, grant, action, timeout }) =>
      this.deviceOf(project).power(grant, action, timeout),
    )
    answer(connection, protocol.checkpoint, ({ project, grant, name, shellKey }) =>
      this.deviceOf(project).checkpoint(grant, name, shellKey),
    )
    answer(connection, protocol.rewind, ({ project, grant, name }) =>
      this.deviceOf(project).rewind(grant, name),
    )
    answer(connection, protocol.state, ({ project }) => this.deviceOf(project).state())
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
    const devices = [...this.devices.values()]
    this.devices.clear()
    const closed = await Promise.allSettled(devices.map(device => device[Symbol.asyncDispose]()))
    for (const result of closed) {
      if (result.status === 'rejected') this.noteFault(Fault.wrap(result.reason))
    }
    if (devices.length)
      this.journal?.write({ type: 'note', text: `boards released: ${reason}`, at: Date.now() })
  }

  private async acquire({ request, test, isolation }: AcquireParams): Promise<Outcome> {
    mkdirSync(request.runFolder, { recursive: true })
    this.journal ??= new Journal(join(request.runFolder, JOURNAL))
    const device = await this.deviceFor(request)
    try {
      return { kind: 'ready', device: await device.acquire(isolation) }
    } catch (error) {
      const fault = Fault.wrap(error)
      const carrier = this.carriers.get(fault.id) ?? test
      if (!this.carriers.has(fault.id)) this.noteFault(fault, test)
      this.carriers.set(fault.id, carrier)
      const console = device.range
      return { kind: 'failed', fault: fault.toJSON(), carrier, ...(console && { console }) }
    }
  }

  /**
   * The device of a project. Devices of other projects that no test holds are powered off first: a run goes through its projects
   * one after the other, and the memory is needed.
   */
  private async deviceFor(request: AcquireParams['request']): Promise<Device> {
    const existing = this.devices.get(request.project)
    if (existing) return existing
    for (const [project, other] of this.devices) {
      if (other.held) continue
      this.devices.delete(project)
      await other[Symbol.asyncDispose]()
    }
    const device = new Device(request, this.journal!, {
      grown: (length, ended) =>
        this.tell(connection =>
          connection.sendNotification(protocol.grown, {
            project: request.project,
            length,
            ...(ended !== undefined && { ended }),
          }),
        ),
      progress: text =>
        this.tell(connection =>
          connection.sendNotification(protocol.progress, { project: request.project, text }),
        ),
    })
    this.devices.set(request.project, device)
    return device
  }

  private deviceOf(project: string): Device {
    const device = this.devices.get(project)
    if (device) return device
    throw deviceReleased(project)
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
