import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'

/**
 * Starts a program that the kernel kills when this process ends, however it ends (also by SIGKILL).
 *
 * Node offers no parent-death signal, so util-linux' `setpriv` (on every Debian and Ubuntu) sets it and then becomes
 * the program. Signal and pid are those of the program itself.
 */
export function spawnTied(
  command: string,
  args: readonly string[],
  options: SpawnOptions = {},
): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', '--', command, ...args], options)
}
