import type { Culprit } from '../fault/fault.js'

/** A standing pattern: a console line that means trouble in whatever phase it comes. */
export interface FindingPattern {
  code: string
  severity: 'soft' | 'hard' | 'fatal'
  culprit: Culprit
  pattern: RegExp
}

/** `fatal` means that the device cannot go on; `hard` that something broke; `soft` that somebody should look. */
export const FINDINGS: readonly FindingPattern[] = [
  // Under Xen the first line of a panic may come in pieces, each on a line of its own; its trace comes whole.
  fatal('kernel.panic', /Kernel panic - not syncing|^\[[ \d.]+\]\s+panic\+0x[0-9a-f]+\/0x/),
  fatal('xen.panic', /\(XEN\).*\bPanic on CPU \d+/),
  fatal('xen.dom0.crashed', /\(XEN\).*Hardware Dom0 crashed/),
  hard('xen.bug', /\(XEN\).*Xen (?:BUG|WARN) at /),
  hard(
    'kernel.oops',
    /\bOops(?::| - )|BUG: (?:unable to handle|kernel NULL pointer)|Unable to handle kernel/,
  ),
  hard('kernel.bug', /kernel BUG at |BUG: (?!unable to handle|kernel NULL|soft lockup|KASAN|KCSAN|KFENCE)/),
  hard('kernel.gpf', /general protection fault/),
  hard('kernel.sanitizer', /BUG: (?:KASAN|KCSAN|KFENCE)/),
  hard('kernel.hung-task', /INFO: task .+ blocked for more than \d+ seconds/),
  hard('kernel.lockup', /(?:soft|hard) lockup - CPU#\d+|Watchdog detected hard LOCKUP/),
  hard('kernel.rcu-stall', /rcu: INFO: .*detected (?:expedited )?stalls/),
  hard('kernel.oom', /Out of memory: Killed process|invoked oom-killer/),
  hard('storage.error', /EXT4-fs error|blk_update_request: I\/O error|Buffer I\/O error|SQUASHFS error/),
  soft('kernel.warning', /WARNING: CPU: \d+ PID: \d+/),
  soft('process.segfault', /\]: segfault at |\bsegfault at [0-9a-f]+ ip /),
  soft('systemd.unit-failed', /\[FAILED\] Failed to start|systemd\[1\]: .+: Failed with result/),
]

function fatal(code: string, pattern: RegExp): FindingPattern {
  return { code, severity: 'fatal', culprit: 'product', pattern }
}
function hard(code: string, pattern: RegExp): FindingPattern {
  return { code, severity: 'hard', culprit: 'product', pattern }
}
function soft(code: string, pattern: RegExp): FindingPattern {
  return { code, severity: 'soft', culprit: 'product', pattern }
}
