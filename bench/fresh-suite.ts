import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync, cpSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../harness/process/run.js'
import { runRecord } from '../harness/record/record.js'
import { RESULTS } from '../harness/run/results.js'
import { repositoryRoot } from '../harness/run/root.js'
import type { Benchmark } from './benchmark.js'

const TESTS = 20
const IMAGE = 'xen-dom0-tiny'

const SPEC = `
import { expect, test } from 'bootwright'
test.use({ isolation: process.env.BENCH_ISOLATION })
for (let nth = 1; nth <= ${TESTS}; nth++) {
  test('test ' + nth, async ({ device }) => {
    await expect(await device.shell()).toRun('cat /tmp/mark 2>/dev/null; echo mark >/tmp/mark', { output: '' })
  })
}
`

/** Seconds from the start of one test to that of the next; the first test's boot is left out. */
async function secondsPerTest(isolation: 'fresh' | 'rebooted'): Promise<number> {
  const repository = repositoryRoot()
  const root = mkdtempSync(join(tmpdir(), 'bw-bench-'))
  try {
    for (const folder of ['labs', 'images', 'suites/bench', 'node_modules'])
      mkdirSync(join(root, folder), { recursive: true })
    cpSync(join(repository, 'labs/local.yaml'), join(root, 'labs/local.yaml'))
    cpSync(join(repository, 'images', IMAGE), join(root, 'images', IMAGE), { recursive: true })
    symlinkSync(repository, join(root, 'node_modules/bootwright'))
    writeFileSync(join(root, 'package.json'), '{ "type": "module" }')
    cpSync(join(repository, 'playwright.config.ts'), join(root, 'playwright.config.ts'))
    writeFileSync(join(root, 'suites/bench/suite.yaml'), `describe: for measuring\nimages: [${IMAGE}]\n`)
    writeFileSync(join(root, 'suites/bench/bench.spec.ts'), SPEC)
    const cli = join(repository, 'dist/harness/cli/main.js')
    const { code, stdout } = await run(process.execPath, [cli, 'run', '--accel', 'tcg'], {
      cwd: root,
      env: {
        ...process.env,
        BENCH_ISOLATION: isolation,
        BOOTWRIGHT_CACHE: process.env['BOOTWRIGHT_CACHE'] ?? join(repository, '.cache'),
      },
    })
    if (code !== 0) throw new Error(stdout.toString())
    const folder = /^report: (.*)\/html\//m.exec(stdout.toString())![1]!
    const { tests } = runRecord.parse(JSON.parse(readFileSync(join(root, folder, RESULTS.record), 'utf8')))
    const starts = tests.map(test => test.attempts[0]!.startedAt).sort((a, b) => a - b)
    return (starts.at(-1)! - starts[0]! - firstBoot(tests[0]!.attempts[0]!)) / 1000 / (TESTS - 1)
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Ms of the first test's preparation, which is a boot either way. */
function firstBoot({ prepared }: { prepared?: { ms: number } | undefined }): number {
  return prepared?.ms ?? 0
}

export const benchmarks: Benchmark[] = [
  {
    name: 'fresh-suite',
    unit: 's per test',
    goal: 1.2,
    run: async () => ({ ours: await secondsPerTest('fresh'), peer: await secondsPerTest('rebooted') }),
  },
]
