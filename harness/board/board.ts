import type { Channel } from '../channel/channel.js'

export type PowerState = 'on' | 'off'

/** What happened to a board's power or processor, told by its hardware (a QEMU board: by QMP), `at` in epoch ms. */
export type BoardEvent =
  | { kind: 'power-on' | 'power-off'; at: number }
  /** The processor started anew without a power cut; by the guest itself or by us. */
  | { kind: 'reset'; at: number; by: 'guest' | 'host' }
  /** The guest powered the board off; the board is off now. */
  | { kind: 'guest-poweroff'; at: number }
  | { kind: 'guest-panic'; at: number }
  /** The board is as it was when a state was saved; `state` is its name. */
  | { kind: 'restore'; at: number; state: string }
  /** The board is gone although nobody asked for it, e.g. its QEMU was killed. */
  | { kind: 'lost'; at: number; detail: string }

export interface Power {
  state(): PowerState
  /** No-op when on already. @throws Fault `power.*`, culprit lab or harness */
  on(): Promise<void>
  /** The plug is pulled: nothing is flushed. No-op when off already. */
  off(): Promise<void>
  /** `off`, then `on`; disks keep their contents. */
  cycle(): Promise<void>
  /** The reset button: memory is lost, power is not cut. */
  reset(): Promise<void>
  /** The power button (ACPI): asks the guest to shut down, resolves when it has, `timeout` in ms. @throws Fault `power.shutdown.timeout` */
  shutdown(timeout: number): Promise<void>
}

/** What came of going back to a saved state. */
export type Restored =
  | { restored: true; how: 'in a new QEMU' | 'from disk'; about: unknown }
  /** There is none that serves, and why. A damaged one is gone now. */
  | { restored: false; why: string }

/** States of a running board, by name: memory, devices and storage as one. */
export interface Snapshots {
  /**
   * Saves the running board as it is; `about` comes back with it and must be JSON. With `keep` the state outlives this
   * board, for others of the same kind.
   *
   * @returns why it could not be kept, or undefined
   * @throws Fault `qemu.snapshot.refused`, `qemu.disk.full`: the board runs on
   */
  save(name: string, about: unknown, options?: { keep?: boolean }): Promise<string | undefined>
  /** Goes back to a state, whether the board is on or off. What does not serve is never an error. */
  restore(name: string): Promise<Restored>
  has(name: string): boolean
  /** Forgets a state that turned out not to serve, kept or not. */
  discard(name: string): Promise<void>
  /** Holds back others who would make the same kept states, until disposed. `waiting` is called if somebody else does. */
  making(signal: AbortSignal, waiting: () => void): Promise<AsyncDisposable>
}

/** What a board's owner gives it: where its console and its events go. Neither may throw. */
export interface BoardListener {
  /** A new console channel (a QEMU board has one per power-on). Called before the board executes its first instruction. */
  onConsole(channel: Channel): void
  onEvent(event: BoardEvent): void
  /** Switching it on waits for something of the host. */
  onWait?(what: string): void
}

/** One device under test, physical or QEMU, that this process owns. Disposing powers it off and removes all it made. */
export interface Board extends AsyncDisposable {
  readonly name: string
  readonly power: Power
  /** Undefined where states cannot be saved; then {@link whyNoSnapshots} says why. */
  readonly snapshots: Snapshots | undefined
  readonly whyNoSnapshots: string | undefined
  /** Switches it off and puts its storage back to what the image delivers. */
  reflash(): Promise<void>
  /** Facts for the record: driver, QEMU version, accelerator, command line, memory. */
  describe(): Record<string, unknown>
}
