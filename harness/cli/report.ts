import { spawn } from 'node:child_process'
import type { Argv, CommandModule } from 'yargs'
import { failWith } from './failure.js'

interface ReportArguments {
  run: string | undefined
  allure: boolean
  path: boolean
}

export const report: CommandModule<object, ReportArguments> = {
  command: 'report [run]',
  describe: 'Open the report of a run in a browser: the last run when none is named',
  builder: (yargs: Argv) =>
    yargs
      .positional('run', { describe: 'Name of a folder below reports/', type: 'string' })
      .option('allure', {
        describe: "Allure's report instead of Playwright's",
        type: 'boolean',
        default: false,
      })
      .option('path', { describe: 'Only print where it is', type: 'boolean', default: false })
      .example('$0 report --allure', 'the last run, seen with Allure'),
  handler: async argv => {
    try {
      const [{ findRun, reportViewer }, { repositoryRoot }] = await Promise.all([
        import('../run/reports.js'),
        import('../run/root.js'),
      ])
      const folder = findRun(repositoryRoot(), argv.run)
      const viewer = await reportViewer(folder, argv.allure ? 'allure' : 'html')
      if (argv.path) return void process.stdout.write(`${viewer.path}\n`)
      const child = spawn(process.execPath, viewer.command, { stdio: 'inherit' })
      process.on('SIGINT', () => {})
      process.exitCode = await new Promise<number>(resolve => child.once('exit', code => resolve(code ?? 0)))
    } catch (error) {
      failWith(error)
    }
  },
}
