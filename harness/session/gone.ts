import type { BoardEvent } from '../board/board.js'
import { Fault } from '../fault/fault.js'
import type { Boot } from '../record/record.js'

/** Codes of what is noticed on a console when the device behind it is gone. */
const NOTICED = ['console.ended', 'shell.device.gone', 'channel.closed']

export function noticedGone(fault: Fault): boolean {
  return NOTICED.includes(fault.code)
}

/** The loss of a board that nobody asked for: its QEMU was killed, its power supply answers no more. */
export function boardLost(board: string, event: BoardEvent & { kind: 'lost' }): Fault {
  const [seen = 'it is gone', ...evidence] = event.detail.split('\n')
  return new Fault({
    code: 'board.lost',
    culprit: 'lab',
    expected: `board ${board} to stay while it is used`,
    seen,
    next: 'see what ended it on the host: out of memory, an administrator, a crash',
    ...(evidence.length && { evidence }),
  })
}

/** What lies behind a console that ended, by what the board's own hardware says of the boot; `fault` itself when that says nothing. */
export function whyGone(fault: Fault, boot: Boot | undefined, lost: Fault | undefined): Fault {
  if (!noticedGone(fault)) return fault
  if (boot?.end === 'lost' && lost) return lost
  if (boot?.end !== 'poweroff') return fault
  return new Fault({
    code: 'device.powered-off',
    culprit: 'product',
    expected: fault.expected,
    seen: 'the device switched itself off',
    next: 'read on the console what made it, or expect it with device.power.shutdown()',
    ...(fault.where !== undefined && { where: fault.where }),
    evidence: fault.evidence ?? [],
    cause: fault,
  })
}
