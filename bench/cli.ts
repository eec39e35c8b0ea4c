import { fileURLToPath } from 'node:url'
import { COMPLETION_KEY } from '../harness/cli/completion.js'
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

/** From the start of the process to its end, Node's own start included; that alone is the peer. */
export const benchmarks: Benchmark[] = [
  {
    name: 'cli-start',
    unit: 'ms',
    goal: 250,
    run: async () => ({ ours: await median(9, [CLI, '--help']), peer: await median(9, ['-e', '0']) }),
  },
  {
    name: 'cli-completion',
    unit: 'ms',
    goal: 250,
    run: async () => ({
      ours: await median(9, [CLI, COMPLETION_KEY, 'bootwright', 'run', '--image', '']),
      peer: await median(9, ['-e', '0']),
    }),
  },
]
