import type { Argv, CommandModule } from 'yargs'
import { failWith, interruptible } from './failure.js'

interface RunArguments {
  select: string[] | undefined
  image: string[] | undefined
  board: string[] | undefined
  lab: string
  title: string | undefined
  tag: string[] | undefined
  accel: 'auto' | 'kvm' | 'tcg'
  'boot-timeout': number | undefined
  workers: number | undefined
  defect: string | undefined
  'dry-run': boolean
  json: boolean
}

export const run: CommandModule<object, RunArguments> = {
  command: 'run [select..]',
  describe: 'Boot images on boards, run suites on them, leave a report',
  builder: (yargs: Argv) =>
    yargs
      .positional('select', {
        describe: 'Suites, folders or test files; all suites when none',
        type: 'string',
        array: true,
      })
      .option('image', {
        alias: 'i',
        describe: 'Images instead of those the suite names',
        type: 'string',
        array: true,
      })
      .option('board', {
        alias: 'b',
        describe: 'Boards or board classes; "all" for each that fits',
        type: 'string',
        array: true,
      })
      .option('lab', { describe: 'Lab file below labs/', type: 'string', default: 'local' })
      .option('title', {
        alias: 't',
        describe: 'Only tests whose title matches this expression',
        type: 'string',
      })
      .option('tag', {
        describe: 'Only tests with this tag, e.g. slow; all of them when several',
        type: 'string',
        array: true,
      })
      .option('accel', {
        describe: 'Acceleration of QEMU',
        choices: ['auto', 'kvm', 'tcg'] as const,
        default: 'auto' as const,
      })
      .option('boot-timeout', { describe: 'Seconds from power-on to a shell', type: 'number' })
      .option('workers', {
        alias: 'w',
        describe: 'Devices at once, instead of as many as processors and memory carry',
        type: 'number',
      })
      .option('defect', { describe: 'Run on the images with this seeded defect', type: 'string' })
      .option('dry-run', { describe: 'Print the plan and do nothing', type: 'boolean', default: false })
      .option('json', { describe: 'With --dry-run: the plan as JSON', type: 'boolean', default: false })
      .example('$0 run suites/xen --image xen-dom0-tiny --tag boot', 'the boot tests on the tiny Xen image')
      .epilogue(
        'Exit code: 0 passed, 1 product, 2 usage, 3 lab, 4 harness, 5 test, 6 nothing ran, 7 no board in time, 130 interrupted.',
      ),
  handler: async argv => {
    const { signal, done } = interruptible()
    try {
      const { makePlan } = await import('../run/plan.js')
      const { repositoryRoot } = await import('../run/root.js')
      const plan = makePlan({
        root: repositoryRoot(),
        select: argv.select ?? [],
        ...(argv.image && { images: argv.image }),
        ...(argv.board && { boards: argv.board }),
        lab: argv.lab,
        ...(argv.title !== undefined && { title: argv.title }),
        ...(argv.tag && { tags: argv.tag }),
        accel: argv.accel,
        ...(argv['boot-timeout'] !== undefined && { bootTimeout: argv['boot-timeout'] }),
        ...(argv.workers !== undefined && { workers: argv.workers }),
        ...(argv.defect !== undefined && { variant: argv.defect }),
        commandLine: process.argv.slice(2),
      })
      if (argv['dry-run']) {
        const { describePlan } = await import('../run/describe.js')
        process.stdout.write(argv.json ? `${JSON.stringify(plan, undefined, 2)}\n` : describePlan(plan))
        return
      }
      const { runPlan } = await import('../run/run.js')
      process.exitCode = await runPlan(plan, { tell: line => process.stdout.write(`${line}\n`), signal })
    } catch (error) {
      failWith(error)
    } finally {
      done()
    }
  },
}
