import type { RecordingReader } from '../console/reader.js'
import { Fault } from '../fault/fault.js'

/** Lines of the console that a fault shows. */
const EVIDENCE_LINES = 15

/** Text that only a device that starts anew, or dies, prints. */
export const GONE = [
  /Kernel panic - not syncing[^\r\n]*/,
  /reboot: (?:Restarting system|Power down|System halted)/,
  /SeaBIOS \(version [^\r\n]*/,
  /BdsDxe: [^\r\n]*/,
  /U-Boot (?:SPL )?20\d\d\.\d\d[^\r\n]*/,
  /GNU GRUB +version[^\r\n]*/,
  /\(XEN\) (?:Panic on CPU|Xen version)[^\r\n]*/,
  /\[ {4}0\.000000\](?:\[ *T\d+\])? (?:Linux version|Booting Linux on)[^\r\n]*/,
] as const

export interface Scene {
  reader: RecordingReader
  command: string
  from: number
}

export function deviceGone(scene: Scene, seen: string): Fault {
  return new Fault({
    code: 'shell.device.gone',
    culprit: 'product',
    expected: `the device to stay up while it runs ${shown(scene.command)}`,
    seen,
    next: 'see the console around the lines below for a panic, a reset or a power-off',
    ...proof(scene),
  })
}

export function shellEnded(scene: Scene, seen: string): Fault {
  return new Fault({
    code: 'shell.ended',
    culprit: 'product',
    expected: `the shell to live on after ${shown(scene.command)}`,
    seen,
    next: 'do not end the shell in a command (exit, exec, kill $$); log in again for another',
    ...proof(scene),
  })
}

export function commandTimeout(
  scene: Scene,
  timeout: number,
  after: { recovered: boolean; output: string | undefined },
): Fault {
  const lines = after.output?.split('\n').filter(line => line.trim() !== '') ?? []
  return new Fault({
    code: 'shell.command.timeout',
    culprit: 'product',
    expected: `${shown(scene.command)} to end within ${(timeout / 1000).toFixed(1)} s`,
    seen: after.recovered
      ? 'it still ran, and was interrupted; the terminal answers, the shell can be used again'
      : 'it still runs; the terminal answers, but the command cannot be interrupted: the shell is of no more use',
    next: 'give it more time, or see where it hangs by what it printed',
    where: `console bytes ${scene.from}-${scene.reader.length}`,
    evidence:
      after.output === undefined
        ? scene.reader.lastLines(EVIDENCE_LINES, scene.from)
        : lines.length > 0
          ? lines.slice(-EVIDENCE_LINES)
          : ['(it had printed nothing)'],
  })
}

export function outputTorn(scene: Scene, seen: string): Fault {
  return new Fault({
    code: 'shell.output.torn',
    culprit: 'lab',
    expected: `the exact output of ${shown(scene.command)}`,
    seen,
    next: 'see what else writes to this console; make it quieter (printk level, loglevel) or the line sounder',
    ...proof(scene),
  })
}

export function lineDeaf(scene: Scene, seen: string): Fault {
  return new Fault({
    code: 'shell.line.lossy',
    culprit: 'lab',
    expected: `${shown(scene.command)} typed and echoed as it is`,
    seen,
    next: 'the command has not started; look at the serial line, or at what else writes to or reads from it',
    ...proof(scene),
  })
}

export function shown(command: string): string {
  const line = command.replace(/\s+/g, ' ').trim()
  return `"${line.length > 80 ? `${line.slice(0, 77)}...` : line}"`
}

function proof(scene: Scene): { where: string; evidence: string[] } {
  return {
    where: `console bytes ${scene.from}-${scene.reader.length}`,
    evidence: scene.reader.lastLines(EVIDENCE_LINES, scene.from),
  }
}
