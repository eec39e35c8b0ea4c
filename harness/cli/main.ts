#!/usr/bin/env node
import type { CommandModule } from 'yargs'
import { EXIT } from '../fault/exit.js'
import { boot } from './boot.js'
import { build } from './build.js'
import { COMPLETION_KEY, completionsFor } from './completion.js'
import { defects } from './defects.js'
import { doctorCommand } from './doctor.js'
import { image } from './image.js'
import { list } from './list.js'
import { report } from './report.js'
import { run } from './run.js'
import { failWith } from './failure.js'

const VERBS = [run, build, image, boot, list, report, doctorCommand, defects] as CommandModule<
  object,
  never
>[]

// Programs that make file systems lie where Debian lets only root look for programs.
process.env['PATH'] = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

const [first, ...words] = process.argv.slice(2)
if (first === COMPLETION_KEY) {
  // In the middle of a line nobody wants to read what is wrong with a lab file.
  const fitting = await completionsFor(words, VERBS).catch(() => [])
  process.stdout.write(fitting.map(word => `${word}\n`).join(''))
} else {
  const { default: yargs } = await import('yargs')
  await yargs(process.argv.slice(2))
    .scriptName('bootwright')
    .usage('$0 <command>\n\nBoots built images on QEMU and on physical boards, and proves how they behave.')
    .command(VERBS as CommandModule[])
    .completion('completion', 'Print a script for shell completion: source <(bootwright completion)')
    .example('$0 run suites/xen --image xen-dom0-tiny', 'boot the image and run the suite on it')
    .example('$0 boot qemu-x86-64 --image xen-dom0-tiny', 'boot a board and sit at its console')
    .demandCommand(1, 'a command is needed')
    .recommendCommands()
    .strict()
    .wrap(Math.min(110, process.stdout.columns ?? 110))
    .version(false)
    .help()
    .alias('help', 'h')
    .fail((message, error) => {
      if (error) failWith(error)
      process.stderr.write(`bootwright: ${message}\nsee: bootwright --help\n`)
      process.exit(EXIT.usage)
    })
    .parseAsync()
}
