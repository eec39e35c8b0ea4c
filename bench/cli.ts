import { fileURLToPath } from 'node:url'
import { run } from '../harness/process/run.js'
import type { Benchmark } from './benchmark.js'

const CLI = fileURLToPath(new URL('../harness/cli/main.js', import.meta.url))

async function median(rounds: number, args: readonly string[]): Promise<number> {
  const times: number[] = []
  for (let round = 0; round < rounds; round++) {
    const began = performance.now()
    await run(process.execPath, args)
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!
}

/** From the start of the process to its end, Node's own start included. */
export const benchmarks: Benchmark[] = [
  {
    name: 'cli-start',
    unit: 'ms',
    goal: 250,
    run: async () => ({ ours: await median(9, [CLI, '--help']) }),
  },
]
