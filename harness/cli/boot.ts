import type { Argv, CommandModule } from 'yargs'
import { failWith, interruptible } from './failure.js'

interface BootArguments {
  board: string
  image: string | undefined
  lab: string
  accel: 'auto' | 'kvm' | 'tcg'
  leave: string
}

export const boot: CommandModule<object, BootArguments> = {
  command: 'boot <board>',
  describe: 'Boot a board and sit at its console',
  builder: (yargs: Argv) =>
    yargs
      .positional('board', { describe: 'Name of a board of the lab', type: 'string', demandOption: true })
      .option('image', {
        alias: 'i',
        describe: 'Image to boot; the first that fits when not said',
        type: 'string',
      })
      .option('lab', { describe: 'Lab file below labs/', type: 'string', default: 'local' })
      .option('accel', {
        describe: 'Acceleration of QEMU',
        choices: ['auto', 'kvm', 'tcg'] as const,
        default: 'auto' as const,
      })
      .option('leave', {
        describe: 'Key that leaves the console and powers the board off',
        type: 'string',
        default: 'ctrl-\\',
      })
      .example('$0 boot qemu-x86-64 --image xen-dom0-tiny', 'the tiny Xen image on the local QEMU board'),
  handler: async argv => {
    const { signal, done } = interruptible()
    try {
      const [{ bootInteractively }, { repositoryRoot }] = await Promise.all([
        import('../run/boot-interactively.js'),
        import('../run/root.js'),
      ])
      process.exitCode = await bootInteractively({ ...argv, root: repositoryRoot(), signal })
    } catch (error) {
      failWith(error)
    } finally {
      done()
    }
  },
}
