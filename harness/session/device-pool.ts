import type { Device } from './device.js'
import { deviceReleased, sessionEnding } from './faults.js'
import type { DeviceRequest } from './protocol.js'

type Board = DeviceRequest['boards'][number]

/** Makes a device that is not powered yet; `name` is unique in the run. */
export type MakeDevice = (name: string, request: DeviceRequest, board: Board) => Device

interface Entry<Client> {
  name: string
  project: string
  board: string
  device: Device
  /** Who used it last, and will come back to it. */
  client: Client | undefined
  /** A test has it, or waits for it to be ready. */
  busy: boolean
}

/** The devices of a run, no more than `workers` of the requests, and which client uses which. */
export class DevicePool<Client extends object> {
  private entries: Entry<Client>[] = []
  private readonly waiting = new Set<() => void>()
  private readonly gone = new WeakSet<object>()
  /** Fewer than asked for, once the lab did not have enough for them. */
  private limit = Infinity
  private isClosed = false

  /** @param onError told what went wrong with a device that was given back */
  constructor(
    private readonly make: MakeDevice,
    private readonly onError: (error: unknown) => void,
  ) {}

  /**
   * A device of the project for this client until it is given back: the one it had, one whose client is gone, a new one, or
   * one that nobody needs just now. Waits when there is none of these.
   *
   * @throws Fault `session.ending` when the client or the session has gone meanwhile
   */
  async take(client: Client, request: DeviceRequest): Promise<Device> {
    for (;;) {
      if (this.isClosed || this.gone.has(client)) throw sessionEnding()
      const idle = this.entries.filter(({ busy }) => !busy)
      const same = idle.filter(({ project }) => project === request.project)
      const full = this.entries.length >= Math.min(request.workers, this.limit)
      const found =
        same.find(entry => entry.client === client) ??
        same.find(entry => entry.client === undefined) ??
        (full ? same[0] : undefined)
      // It has gone on to another project, or found another device.
      for (const entry of this.entries) if (entry.client === client) entry.client = undefined
      if (found) {
        Object.assign(found, { client, busy: true })
        return found.device
      }
      const surplus = full ? (idle.find(entry => entry.client === undefined) ?? idle[0]) : undefined
      if (!full || surplus) return this.replace(surplus, client, request)
      await new Promise<void>(resolve => this.waiting.add(resolve))
    }
  }

  /** The test that had the device is over. */
  giveBack(name: string): void {
    const entry = this.entries.find(candidate => candidate.name === name)
    if (entry) entry.busy = false
    this.wake()
  }

  /**
   * Gives up a device that the lab cannot run, and asks for no more than there are others of its project from now on; does
   * nothing, and says so, when there is no other.
   */
  async retire(name: string): Promise<boolean> {
    const entry = this.entries.find(candidate => candidate.name === name)
    const others = this.entries.filter(other => other !== entry)
    if (!entry || !others.some(({ project }) => project === entry.project)) return false
    this.entries = others
    this.limit = others.length
    await this.end(entry)
    this.wake()
    return true
  }

  /** The client is gone. */
  leave(client: Client): void {
    this.gone.add(client)
    for (const entry of this.entries) if (entry.client === client) entry.client = undefined
    this.wake()
  }

  /** @throws Fault `session.device.released` */
  named(name: string): Device {
    const device = this.find(name)
    if (!device) throw deviceReleased(name)
    return device
  }

  find(name: string): Device | undefined {
    return this.entries.find(candidate => candidate.name === name)?.device
  }

  /** Takes all devices out; there are no others from now on. */
  close(): Device[] {
    this.isClosed = true
    this.wake()
    const devices = this.entries.map(({ device }) => device)
    this.entries = []
    return devices
  }

  private async replace(
    old: Entry<Client> | undefined,
    client: Client,
    request: DeviceRequest,
  ): Promise<Device> {
    this.entries = this.entries.filter(entry => entry !== old)
    const { project } = request
    const name = this.nameFor(project)
    const board = this.leastUsed(request.boards)
    const device = this.make(name, request, board)
    this.entries.push({ name, project, board: board.name, device, client, busy: true })
    if (old) await this.end(old)
    return device
  }

  private async end({ device }: Entry<Client>): Promise<void> {
    try {
      await device[Symbol.asyncDispose]()
    } catch (error) {
      this.onError(error)
    }
  }

  private wake(): void {
    for (const resolve of this.waiting) resolve()
    this.waiting.clear()
  }

  private nameFor(project: string): string {
    for (let nth = 1; ; nth++) {
      const name = nth === 1 ? project : `${project}.${nth}`
      if (!this.entries.some(entry => entry.name === name)) return name
    }
  }

  private leastUsed(boards: readonly Board[]): Board {
    const uses = ({ name }: Board) => this.entries.filter(({ board }) => board === name).length
    const [least] = [...boards].sort((a, b) => uses(a) - uses(b))
    if (!least) throw new Error('a plan without a board')
    return least
  }
}
