import { Fault } from '../fault/fault.js'
import { findShell } from './find-shell.js'
import type { OpenDevice } from './open-device.js'
import type { KnownShells } from './shells.js'

/** What a device tells while it is made ready. */
export interface Told {
  note(text: string): void
  progress(text: string): void
  fault(fault: Fault): void
}

/**
 * Cuts and gives power, and waits for a shell. Faults of lab and harness get a second try; what the product does wrong is
 * not asked for twice.
 *
 * @param timeout ms from power-on to a shell
 * @param renew puts the storage back to what the first try found
 * @throws Fault `boot.*`, `power.*`
 */
export async function coldBoot(
  device: OpenDevice,
  timeout: number,
  renew: () => Promise<void>,
  told: Told,
  signal: AbortSignal,
): Promise<KnownShells> {
  const boot = async () => {
    told.progress('booting')
    const started = Date.now()
    await device.board.power.cycle()
    const shells = await findShell(device, timeout, signal)
    told.progress(`booted in ${((Date.now() - started) / 1000).toFixed(1)} s`)
    return shells
  }
  try {
    return await boot()
  } catch (error) {
    signal.throwIfAborted()
    const fault = Fault.wrap(error)
    if (fault.culprit !== 'lab' && fault.culprit !== 'harness') throw fault
    told.fault(fault)
    told.note(`boot failed (${fault.code}): one more try`)
    await renew()
    return boot()
  }
}
