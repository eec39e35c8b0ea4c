import { statSync } from 'node:fs'
import type { Isolation } from '../harness/record/record.js'
import { benchDevice, type BenchDevice } from './bench-device.js'
import type { Benchmark } from './benchmark.js'

const RESTORES = 7
const MIB = 1024 ** 2

interface Figures {
  /** Seconds from asking to a shell that has answered, the clock put right. */
  restore: number
  /** The same by cutting the power and booting. */
  boot: number
  /** Seconds that the device stands still while it is saved. */
  creation: number
  /** Bytes on disk. */
  size: number
}

const measured = new Map<string, Promise<Figures>>()

function figures(image: string): Promise<Figures> {
  const known = measured.get(image) ?? measure(image)
  measured.set(image, known)
  return known
}

async function measure(image: string): Promise<Figures> {
  await using bench = await benchDevice(image)
  await bench.readiness.prepare('shared', [])
  const restores = await seconds(bench, 'fresh', RESTORES, 'restored')
  const creations: number[] = []
  for (let nth = 0; nth < 3; nth++) {
    const began = performance.now()
    await bench.readiness.checkpoint(`creation ${nth}`, bench.readiness.shells)
    creations.push((performance.now() - began) / 1000)
  }
  const { commandLine } = bench.device.board.describe() as { commandLine: string[] }
  const boots = await seconds(bench, 'power-cycled', 3, 'power-cycled')
  if (bench.notes.length) throw new Error(bench.notes.join('; '))
  return {
    restore: median(restores),
    boot: median(boots),
    creation: median(creations),
    // The booted state and three that are nearly the same.
    size: stateFile(commandLine).size / 4,
  }
}

async function seconds(
  { readiness }: BenchDevice,
  isolation: Isolation,
  rounds: number,
  promised: string,
): Promise<number[]> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    const { done } = await readiness.prepare(isolation, [])
    times.push((performance.now() - began) / 1000)
    if (!done.startsWith(promised)) throw new Error(`${done} instead of ${promised}`)
  }
  return times
}

/** The file that the saved memory goes into, by QEMU's command line. */
function stateFile(commandLine: readonly string[]): { size: number } {
  const path = /id=state,.*file\.filename=(.*)/.exec(commandLine.join('\n'))?.[1]
  if (path === undefined) throw new Error(`no file for states in ${commandLine.join(' ')}`)
  return { size: statSync(path).blocks * 512 }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1]!
}

/** A restore beside a cold boot in the same run; the goal is the boot over the restore. */
function benchmarksOf(name: string, image: string, goal: number): Benchmark[] {
  return [
    {
      name,
      unit: 's',
      goal,
      run: async () => {
        const { restore, boot } = await figures(image)
        return { ours: restore, peer: boot, ratio: boot / restore }
      },
    },
    {
      name: `${name}-creation`,
      unit: 's',
      run: async () => ({ ours: (await figures(image)).creation }),
    },
    {
      name: `${name}-disk`,
      unit: 'MiB',
      run: async () => ({ ours: (await figures(image)).size / MIB }),
    },
  ]
}

export const benchmarks: Benchmark[] = [
  ...benchmarksOf('restore-tiny', 'xen-dom0-tiny', 12),
  ...benchmarksOf('restore-systemd', 'xen-dom0', 30),
]
