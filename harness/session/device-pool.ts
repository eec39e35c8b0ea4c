import type { Device } from './device.js'
import { deviceReleased } from './faults.js'
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
export class DevicePool<Client> {
  private entries: Entry<Client>[] = []
  private readonly waiting = new Set<() => void>()

  constructor(private readonly make: MakeDevice) {}

  /**
   * A device of the project for this client until it is given back: the one it had, one whose client is gone, a new one, or
   * one that nobody needs just now. Waits when there is none of these.
   */
  async take(client: Client, request: DeviceRequest): Promise<Device> {
    for (;;) {
      const idle = this.entries.filter(({ busy }) => !busy)
      const same = idle.filter(({ project }) => project === request.project)
      const full = this.entries.length >= request.workers
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

  /** The client is gone. */
  leave(client: Client): void {
    for (const entry of this.entries) if (entry.client === client) entry.client = undefined
    this.wake()
  }

  /** @throws Fault `session.device.released` */
  named(name: string): Device {
    const entry = this.entries.find(candidate => candidate.name === name)
    if (!entry) throw deviceReleased(name)
    return entry.device
  }

  /** Takes all devices out. */
  clear(): Device[] {
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
    await old?.device[Symbol.asyncDispose]()
    return device
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
