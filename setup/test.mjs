// `npm test`: lint and the fast tests. `--all`: the slow groups too; `--slow`: only those. Words: only files whose path has one.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, relative } from 'node:path'
import { filesBelow } from './files.mjs'
import { asCommand, SetupFailure } from './failure.mjs'
import { lint } from './lint.mjs'
import { runTestFiles } from './node-test.mjs'
import { cache, root } from './root.mjs'
import { setUp } from './setup.mjs'
import { rotated, runWithin } from './slow-groups.mjs'
import { record, sumOf, tell } from './tally.mjs'

const MINUTE = 60_000
const FAST_TIMEOUT = 10 * MINUTE
const SLOW_TIMEOUT = 60 * MINUTE
const DURATIONS = join(cache, 'test/durations.json')

await asCommand(async () => {
  const args = process.argv.slice(2)
  const wanted = { fast: !args.includes('--slow'), slow: args.includes('--all') || args.includes('--slow') }
  const filters = args.filter(arg => !arg.startsWith('--'))
  const unknown = args.find(arg => arg.startsWith('--') && arg !== '--all' && arg !== '--slow')
  if (unknown) throw new SetupFailure(`unknown option ${unknown}; there are --all and --slow`)
  await setUp({ dev: true })

  const files = testFiles().filter(file => filters.length === 0 || filters.some(word => file.includes(word)))
  const slow = files.filter(file => file.includes('.slow.test.'))
  const fast = files.filter(file => !slow.includes(file))
  const steps = []
  if (wanted.fast) steps.push(...(await runFast(fast, { withLint: filters.length === 0 })))
  if (wanted.slow) steps.push(...(await runSlow(slow)))
  // A budget may be too small for any slow group, and there may be none yet.
  return conclude(steps, { mayBeEmpty: !wanted.fast && filters.length === 0 })
})

async function runFast(files, { withLint }) {
  record('fast', undefined)
  const steps = []
  if (withLint) steps.push(await timed('lint', lint))
  if (files.length > 0) {
    const concurrency = Number(process.env.BOOTWRIGHT_TEST_CONCURRENCY) || Math.max(2, availableParallelism())
    steps.push(
      await timed('tests', () => runTestFiles({ name: 'fast', files, concurrency, timeout: FAST_TIMEOUT })),
    )
  }
  record('fast', sumOf(steps))
  return steps
}

/** Each slow file is a group of its own; BOOTWRIGHT_TEST_BUDGET (minutes) limits all of them together. */
async function runSlow(files) {
  record('slow', undefined)
  const minutes = process.env.BOOTWRIGHT_TEST_BUDGET
  const budget = minutes === undefined ? Infinity : Number(minutes) * MINUTE
  if (Number.isNaN(budget)) throw new SetupFailure(`BOOTWRIGHT_TEST_BUDGET is minutes, not "${minutes}"`)
  const took = knownDurations()
  const steps = []
  const notRun = await runWithin({
    groups: rotated(files, new Date()),
    budget,
    took,
    run: async (file, left) => {
      const signal = left === Infinity ? undefined : AbortSignal.timeout(Math.min(left, 2 ** 31 - 1))
      const name = file.replaceAll('/', '.')
      const step = await timed(file, () =>
        runTestFiles({ name, files: [file], concurrency: 1, timeout: SLOW_TIMEOUT, signal }),
      )
      steps.push(step)
      if (!signal?.aborted) {
        took[file] = step.ms
        writeFileSync(DURATIONS, JSON.stringify(took))
      }
      return { finished: !signal?.aborted }
    },
  })
  for (const file of notRun) process.stdout.write(`did not run within ${minutes} min: ${file}\n`)
  record('slow', sumOf(steps))
  return steps
}

async function timed(name, work) {
  const started = Date.now()
  const counts = await work()
  return { name, ms: Date.now() - started, ...counts }
}

function conclude(steps, { mayBeEmpty }) {
  for (const step of steps)
    process.stdout.write(`${step.name}: ${tell(step)} in ${(step.ms / 1000).toFixed(1)} s\n`)
  const tests = sumOf(steps.filter(({ name }) => name !== 'lint'))
  if (tests.passed + tests.failed === 0 && !mayBeEmpty) {
    process.stdout.write('no test ran\n')
    return 1
  }
  return sumOf(steps).failed > 0 ? 1 : 0
}

function testFiles() {
  const built = filesBelow(join(root, 'dist')).filter(file => file.endsWith('.test.js'))
  const own = filesBelow(join(root, 'setup')).filter(file => file.endsWith('.test.mjs'))
  return [...own, ...built].map(file => relative(root, file))
}

function knownDurations() {
  try {
    return JSON.parse(readFileSync(DURATIONS, 'utf8'))
  } catch {
    return {}
  }
}
