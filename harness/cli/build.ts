import type { Argv, CommandModule } from 'yargs'
import { failWith, interruptible } from './failure.js'

interface BuildArguments {
  image: string
  arch: 'x86-64' | 'arm64' | undefined
  defect: string | undefined
  force: boolean
  json: boolean
}

export const build: CommandModule<object, BuildArguments> = {
  command: 'build <image>',
  describe: 'Build an image, or take it from the cache',
  builder: (yargs: Argv) =>
    yargs
      .positional('image', { describe: 'Name of a folder below images/', type: 'string', demandOption: true })
      .option('arch', {
        describe: 'Architecture; the first that the image declares when not said',
        choices: ['x86-64', 'arm64'] as const,
      })
      .option('defect', { describe: 'Build it with one of its seeded defects', type: 'string' })
      .option('force', {
        describe: 'Look for newer packages and build anew',
        type: 'boolean',
        default: false,
      })
      .option('json', { describe: 'Print the manifest as JSON', type: 'boolean', default: false })
      .example('$0 build xen-dom0-tiny --arch arm64', 'the arm64 variant of the tiny Xen image'),
  handler: async argv => {
    const { signal, done } = interruptible()
    try {
      const { buildImage } = await import('../image/build.js')
      const { loadImage } = await import('../image/declarations.js')
      const { repositoryRoot } = await import('../run/root.js')
      const root = repositoryRoot()
      const started = Date.now()
      const { folder, manifest } = await buildImage({
        root,
        name: argv.image,
        arch: argv.arch ?? loadImage(root, argv.image).architectures[0]!,
        ...(argv.defect !== undefined && { variant: argv.defect }),
        force: argv.force,
        signal,
        onProgress: ({ step }) => void (argv.json || process.stdout.write(`  ${step}\n`)),
      })
      if (argv.json) process.stdout.write(`${JSON.stringify({ folder, manifest }, undefined, 2)}\n`)
      else process.stdout.write(`${folder} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
    } catch (error) {
      failWith(error)
    } finally {
      done()
    }
  },
}
