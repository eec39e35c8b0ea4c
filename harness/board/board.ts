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

/** What a board's owner gives it: where its console and its events go. Neither may throw. */
export interface BoardListener {
  /** A new console channel (a QEMU board has one per power-on). Called before the board executes its first instruction. */
  onConsole(channel: Channel): void
  onEvent(event: BoardEvent): void
}

/** One device under test, physical or QEMU, that this process owns. Disposing powers it off and removes all it made. */
export interface Board extends AsyncDisposable {
  readonly name: string
  readonly power: Power
  /** Facts for the record: driver, QEMU version, accelerator, command line, memory. */
  describe(): Record<string, unknown>
}
