import type { ChildProcess } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import type { Socket } from 'node:net'
import { Fault } from '../fault/fault.js'
import { spawnTied, wasMissing } from '../process/tied.js'
import { CONSOLE_FD, qemuArguments, QMP_FD } from './arguments.js'
import { qemuPackage, qemuProgram } from './binary.js'
import { guestMemory } from './guest-memory.js'
import type { Machine } from './machine.js'
import { QmpClient } from './qmp.js'

const KEPT_OF_STDERR = 8192

/** How a QEMU ended: `said` are the last lines of its error output. */
export interface QemuEnd {
  code: number | null
  signal: NodeJS.Signals | null
  said: string[]
}

/** A running QEMU, paused before the guest's first instruction until QMP `cont`. The kernel kills it with us. */
export interface RunningQemu {
  readonly pid: number
  readonly commandLine: readonly string[]
  readonly qmp: QmpClient
  /** The file that the guest's memory is, for as long as it runs. */
  memory(): Promise<string>
  /** The descriptor of the saved devices that it waits for. */
  readonly incomingFd: number
  /** The first serial port; nobody reads it yet. */
  readonly console: Socket
  /** Resolves when it is gone and its last QMP event was delivered. */
  readonly ended: Promise<QemuEnd>
  /** Kills it at once and waits until it is gone. */
  kill(): Promise<QemuEnd>
}

/** Descriptor of saved devices in QEMU. */
const INCOMING_FD = Math.max(QMP_FD, CONSOLE_FD) + 1

/**
 * Starts a machine; with `incoming`, a file of saved devices, one that waits to be filled.
 *
 * @throws Fault `qemu.refused` with QEMU's own words when it does not come up, `qemu.missing`
 */
export async function launchQemu(
  machine: Machine,
  { incoming }: { incoming?: string } = {},
): Promise<RunningQemu> {
  const program = qemuProgram(machine.arch)
  const args = [...qemuArguments(machine), ...(incoming === undefined ? [] : ['-incoming', 'defer'])]
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe']
  // Node's pipes are pairs of unix sockets: QEMU takes its end as a chardev that is connected already.
  stdio[QMP_FD] = 'pipe'
  stdio[CONSOLE_FD] = 'pipe'
  const saved = incoming === undefined ? undefined : openSync(incoming, 'r')
  if (saved !== undefined) stdio[INCOMING_FD] = saved
  const child = spawnTied(program, args, { stdio })
  if (saved !== undefined) closeSync(saved)
  const ended = endOf(child)
  try {
    const qmp = await QmpClient.connect(child.stdio[QMP_FD] as Socket)
    // The last event, which says why it ended, may be read only after the process is gone.
    const told = qmp.closed.then(() => ended)
    return {
      pid: child.pid!,
      commandLine: [program, ...args],
      qmp,
      memory: () => guestMemory(child.pid!),
      incomingFd: INCOMING_FD,
      console: child.stdio[CONSOLE_FD] as Socket,
      ended: told,
      kill() {
        child.kill('SIGKILL')
        return told
      },
    }
  } catch (error) {
    child.kill('SIGKILL')
    for (const stream of child.stdio) stream?.destroy()
    throw refused(machine, await ended, error)
  }
}

function endOf(child: ChildProcess): Promise<QemuEnd> {
  let tail = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    tail = (tail + text).slice(-KEPT_OF_STDERR)
  })
  return new Promise(resolve => {
    const end = (code: number | null, signal: NodeJS.Signals | null) => {
      const said = tail.split('\n').filter(line => line.trim())
      resolve({ code, signal, said: said.slice(-12) })
    }
    child.once('error', error => {
      tail += error.message
      end(null, null)
    })
    child.once('exit', (code, signal) => {
      if (child.stderr!.readableEnded || child.stderr!.destroyed) end(code, signal)
      else child.stderr!.once('close', () => end(code, signal))
    })
  })
}

function refused(machine: Machine, end: QemuEnd, cause: unknown): Fault {
  const program = qemuProgram(machine.arch)
  if (wasMissing(end.code, end.said.join('\n'))) {
    return new Fault({
      code: 'qemu.missing',
      culprit: 'lab',
      expected: `the program ${program}`,
      seen: `${program} is not installed`,
      next: `apt-get install ${qemuPackage(machine.arch)}`,
      cause,
    })
  }
  return new Fault({
    code: 'qemu.refused',
    culprit: 'lab',
    expected: `QEMU to start ${machine.name}`,
    seen: end.said.at(-1) ?? `it ended with ${end.signal ?? `exit code ${end.code}`} and said nothing`,
    next: 'check what it says against the board in the lab file and the free memory and disk of the host',
    evidence: end.said,
    cause,
  })
}
