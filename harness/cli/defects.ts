import type { Argv, CommandModule } from 'yargs'
import { EXIT } from '../fault/exit.js'
import { failWith, interruptible } from './failure.js'

interface DefectsArguments {
  suite: string
  image: string[] | undefined
  only: string[] | undefined
  accel: 'auto' | 'kvm' | 'tcg'
  json: boolean
}

export const defects: CommandModule<object, DefectsArguments> = {
  command: 'defects <suite>',
  describe: 'Prove that a suite can fail: run it on images with one seeded defect each',
  builder: (yargs: Argv) =>
    yargs
      .positional('suite', { describe: 'Suite or folder', type: 'string', demandOption: true })
      .option('image', {
        alias: 'i',
        describe: 'Images instead of those the suite names',
        type: 'string',
        array: true,
      })
      .option('only', { describe: 'Only these defects', type: 'string', array: true })
      .option('accel', {
        describe: 'Acceleration of QEMU',
        choices: ['auto', 'kvm', 'tcg'] as const,
        default: 'auto' as const,
      })
      .option('json', {
        describe: 'Print {caught, total, missed, results} as JSON',
        type: 'boolean',
        default: false,
      })
      .example('$0 defects suites/xen --json', 'each defect, and whether the intended test caught it')
      .epilogue(
        'Exit code 0 when each defect was caught, else 5: a test that cannot fail is a fault of the test.',
      ),
  handler: async argv => {
    const { signal, done } = interruptible()
    try {
      const [{ runDefects }, { repositoryRoot }] = await Promise.all([
        import('../run/defects.js'),
        import('../run/root.js'),
      ])
      const report = await runDefects({
        root: repositoryRoot(),
        suite: argv.suite,
        accel: argv.accel,
        signal,
        ...(argv.image && { images: argv.image }),
        ...(argv.only && { only: argv.only }),
        tell: line => process.stderr.write(`${line}\n`),
      })
      process.stdout.write(
        argv.json
          ? `${JSON.stringify(report, undefined, 2)}\n`
          : `${report.caught} of ${report.total} caught\n`,
      )
      process.exitCode = report.missed.length === 0 ? EXIT.passed : EXIT.test
    } catch (error) {
      failWith(error)
    } finally {
      done()
    }
  },
}
