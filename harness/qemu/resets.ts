import type { Machine } from './machine.js'
import type { QmpEvent } from './qmp.js'

/** In ms of QEMU's clock. SeaBIOS needs about 100; a guest that boots and resets in less than this prints something. */
const FIRMWARE_RESETS_WITHIN = 5_000

/**
 * Tells a guest's own resets from those with which SeaBIOS follows each of them: entered by a reset it resets the
 * machine once or twice more. Those come at once and nothing is printed in between.
 */
export class ResetFilter {
  readonly #arch: Machine['arch']
  #last: { at: number; printed: number } | undefined

  constructor(arch: Machine['arch']) {
    this.#arch = arch
  }

  /** Whether the reset begins a new boot; `printed` counts the bytes that the console has given so far. */
  beginsBoot(event: QmpEvent, printed: number): boolean {
    const last = this.#last
    const echo =
      this.#arch === 'x86-64' &&
      event.data.guest === true &&
      last !== undefined &&
      printed === last.printed &&
      event.at - last.at < FIRMWARE_RESETS_WITHIN
    this.#last = { at: event.at, printed }
    return !echo
  }
}
