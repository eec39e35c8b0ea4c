import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
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
  const size = diskUse(join(bench.files, 'states/1'))
  const boots = await seconds(bench, 'power-cycled', 3, 'power-cycled')
  if (bench.notes.length) throw new Error(bench.notes.join('; '))
  return {
    restore: median(restores),
    boot: median(boots),
    creation: median(creations),
    size,
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

/** Bytes that a folder's files take on disk. */
function diskUse(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).blocks * 512, 0)
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
