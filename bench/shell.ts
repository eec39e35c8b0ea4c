import { LinuxShell } from '../harness/shell/linux-shell.js'
import { ptyDevice } from '../harness/shell/pty-device.js'
import type { Benchmark } from './benchmark.js'

async function withShell<T>(work: (shell: LinuxShell) => Promise<T>): Promise<T> {
  await using device = await ptyDevice('dash -i')
  return await work(await LinuxShell.login(device.port, { timeout: 20_000 }))
}

async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = []
  for (let i = 0; i < rounds; i++) {
    const began = performance.now()
    await work()
    times.push(performance.now() - began)
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!
}

export const benchmarks: Benchmark[] = [
  {
    name: `run('true') on a local pty, median of 200`,
    unit: 'ms',
    run: async () => ({ ours: await withShell(shell => median(200, () => shell.run('true'))) }),
  },
  {
    name: `run('echo hello') on a local pty, median of 200`,
    unit: 'ms',
    run: async () => ({ ours: await withShell(shell => median(200, () => shell.run('echo hello'))) }),
  },
  {
    name: '1 MB of output from a local pty, checked',
    unit: 'ms',
    run: async () => ({
      ours: await withShell(shell =>
        median(5, async () => {
          const { bytes } = await shell.run(`head -c 786432 /dev/urandom | base64`)
          if (bytes.length < 1024 * 1024) throw new Error(`${bytes.length} bytes`)
        }),
      ),
    }),
  },
]
