import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { constants, accessSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'

const SETPRIV = 'setpriv'
/** Becomes the program, unless its starter died before the kernel was told what to do then. */
const BECOME = '[ "$PPID" = "$0" ] && exec "$@"'

/**
 * Starts a program that the kernel signals when this process ends, however it ends (also by SIGKILL): by default it is
 * killed.
 *
 * Node offers no parent-death signal, so util-linux' `setpriv` (on every Debian and Ubuntu) sets it and then becomes
 * the program. Signal and pid are those of the program itself.
 *
 * @throws Fault `process.missing` when there is no setpriv; a missing `command` is exit code 127
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptions & { deathSignal?: 'KILL' | 'INT' } = {},
): ChildProcess {
  const { deathSignal = 'KILL', ...others } = options
  if (!isOnPath(SETPRIV, (others.env ?? process.env)['PATH'])) throw missingProgram(SETPRIV)
  return spawn(
    SETPRIV,
    ['--pdeathsig', deathSignal, '--', '/bin/sh', '-c', BECOME, String(process.pid), command, ...args],
    others,
  )
}

/** Whether a tied program ended because there is none of its name. */
export function wasMissing(code: number | null, errors: string): boolean {
  return code === 127 && /: exec: .*: not found/.test(errors)
}

export function missingProgram(program: string): Fault {
  return new Fault({
    code: 'process.missing',
    culprit: 'harness',
    expected: `the program ${program}`,
    seen: `${program} is not installed`,
    next: 'run: bootwright doctor',
  })
}

function isOnPath(program: string, path = ''): boolean {
  return path.split(':').some(folder => {
    try {
      accessSync(join(folder || '.', program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
