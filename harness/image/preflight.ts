import { formatSize, MIB } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import type { Manifest } from './manifest.js'

/** What Xen keeps for itself: its image, frame table and heap, on boards of a few GiB. */
const XEN_OWN = 64 * MIB
/** What Xen and Dom0 spend on a guest beside its memory: page tables, control structures, rings. */
const PER_GUEST = 8 * MIB

/** One line of the sum; `bytes` of memory. */
export interface Demand {
  what: string
  bytes: number
}

/**
 * What an image needs of a board's memory under Xen, piece by piece; nothing for an image without Xen.
 *
 * @param testMemory bytes of the guests that tests create beside those started automatically
 */
export function memoryNeeded({ xen }: Manifest, testMemory: number): Demand[] {
  // A Dom0 without a cap takes what there is: then no sum says anything.
  if (xen?.dom0Memory === undefined) return []
  const demands = [
    { what: 'Xen itself', bytes: XEN_OWN },
    { what: 'Dom0', bytes: xen.dom0Memory },
    ...xen.guests
      .filter(guest => guest.autostart)
      .map(guest => ({
        what: `guest ${guest.name}, started automatically`,
        bytes: guest.memory + PER_GUEST,
      })),
  ]
  if (testMemory > 0) demands.push({ what: 'guests that tests create', bytes: testMemory + PER_GUEST })
  return demands
}

/** @throws Fault `image.memory.short` that lists the sum when it does not fit the board */
export function checkMemory(
  manifest: Manifest,
  testMemory: number,
  board: { name: string; memory: number },
): void {
  const demands = memoryNeeded(manifest, testMemory)
  const needed = demands.reduce((sum, { bytes }) => sum + bytes, 0)
  if (needed <= board.memory) return
  throw new Fault({
    code: 'image.memory.short',
    culprit: 'usage',
    expected: `${formatSize(needed)} of memory for ${manifest.image}`,
    seen: `board ${board.name} has ${formatSize(board.memory)}`,
    next: 'choose a larger board, or declare less memory for Dom0 or the guests',
    evidence: demands.map(({ what, bytes }) => `${formatSize(bytes).padStart(8)}  ${what}`),
  })
}
