import { readFileSync } from 'node:fs'
import { spawnTied } from '../harness/process/tied.js'
import { CONSOLE_FD, QMP_FD } from '../harness/qemu/arguments.js'
import { QmpClient } from '../harness/qemu/qmp.js'
import type { Socket } from 'node:net'
import { benchDevice } from './bench-device.js'
import type { Benchmark } from './benchmark.js'

const PAIRS = 3
/** sysconf(_SC_CLK_TCK), which Linux gives as 100 on all its architectures. */
const TICKS_PER_SECOND = 100

interface Cost {
  /** CPU seconds of the harness from power-on to a shell, the saving of the state included. */
  harness: number
  /** CPU seconds of a bare QEMU with the same arguments, to the prompt. */
  bare: number
}

async function pair(): Promise<Cost> {
  await using bench = await benchDevice('xen-dom0-tiny')
  const { device, readiness } = bench
  const before = process.cpuUsage()
  await readiness.prepare('shared', [])
  const { user, system } = process.cpuUsage(before)
  const { commandLine } = device.board.describe() as { commandLine: string[] }
  await device.board.power.off()
  return { harness: (user + system) / 1e6, bare: await bareBoot(commandLine) }
}

/** Boots without us: nothing but QEMU, until the console shows the prompt. */
async function bareBoot([program, ...args]: string[]): Promise<number> {
  const stdio: ('ignore' | 'pipe')[] = ['ignore', 'ignore', 'inherit' as 'ignore']
  stdio[QMP_FD] = 'pipe'
  stdio[CONSOLE_FD] = 'pipe'
  const child = spawnTied(program!, args, { stdio })
  try {
    const qmp = await QmpClient.connect(child.stdio[QMP_FD] as Socket)
    const prompt = new Promise<void>((resolve, reject) => {
      let tail = ''
      child.stdio[CONSOLE_FD]!.on('data', (chunk: Buffer) => {
        tail = (tail + chunk.toString('latin1')).slice(-200)
        if (/login: $/.test(tail)) resolve()
      })
      child.once('exit', code => reject(new Error(`QEMU ended with ${code}`)))
    })
    await qmp.execute('cont')
    await prompt
    return cpuSeconds(child.pid!)
  } finally {
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
  }
}

/** User and system time of a process with all its threads (proc_pid_stat(5)). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

async function costs(): Promise<Cost> {
  const pairs: Cost[] = []
  for (let nth = 0; nth < PAIRS; nth++) pairs.push(await pair())
  const median = (of: keyof Cost) => pairs.map(cost => cost[of]).sort((a, b) => a - b)[PAIRS >> 1]!
  return { harness: median('harness'), bare: median('bare') }
}

export const benchmarks: Benchmark[] = [
  {
    name: 'boot-overhead',
    unit: 'CPU s',
    goal: 0.03,
    run: async () => {
      const { harness, bare } = await costs()
      return { ours: harness, peer: bare, ratio: harness / bare }
    },
  },
]
