import type { Argv, CommandModule } from 'yargs'
import { EXIT } from '../fault/exit.js'
import { Fault } from '../fault/fault.js'
import type { Difference } from '../image/difference.js'
import { failWith, interruptible } from './failure.js'

const ACTIONS = ['show', 'diff', 'verify'] as const

interface ImageArguments {
  action: (typeof ACTIONS)[number]
  image: string
  other: string | undefined
  arch: 'x86-64' | 'arm64' | undefined
  sbom: boolean
  json: boolean
}

export const image: CommandModule<object, ImageArguments> = {
  command: 'image <action> <image> [other]',
  describe: 'What an image is made of, what two differ in, whether one is reproducible',
  builder: (yargs: Argv) =>
    yargs
      .positional('action', {
        describe: 'show: its manifest; diff: beside another; verify: build it again elsewhere and compare',
        choices: ACTIONS,
        demandOption: true,
      })
      .positional('image', {
        describe: 'Name of a folder below images/, built when it is not in the cache; or a manifest.json',
        type: 'string',
        demandOption: true,
      })
      .positional('other', { describe: 'The same, for diff', type: 'string' })
      .option('arch', {
        describe: 'Architecture; the first that the image declares when not said',
        choices: ['x86-64', 'arm64'] as const,
      })
      .option('sbom', {
        describe: 'With show: the bill of materials (CycloneDX JSON)',
        type: 'boolean',
        default: false,
      })
      .option('json', { describe: 'Print JSON', type: 'boolean', default: false })
      .example('$0 image verify xen-dom0-tiny', 'is the image the same, bit for bit, when it is built again?')
      .example('$0 image diff old/manifest.json xen-dom0', 'what has changed since')
      .epilogue('Exit code of verify: 0 the same, 4 not reproducible, 3 damaged in the cache.'),
  handler: async argv => {
    const { signal, done } = interruptible()
    try {
      process.exitCode = await act(argv, signal)
    } catch (error) {
      failWith(error)
    } finally {
      done()
    }
  },
}

async function act({ action, image: name, other, arch, sbom, json }: ImageArguments, signal: AbortSignal) {
  const [{ manifestOf, requestFor }, { repositoryRoot }] = await Promise.all([
    import('../image/manifest-of.js'),
    import('../run/root.js'),
  ])
  if ((action === 'diff') !== (other !== undefined)) throw wrongNumber(action)
  const root = repositoryRoot()
  const tell = ({ step }: { step: string }) => void (json || sbom || process.stderr.write(`  ${step}\n`))
  const asked = { root, arch, onProgress: tell, signal }
  const print = (value: unknown) => process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`)
  if (action === 'verify') {
    const { verifyImage } = await import('../image/verify.js')
    const { damaged, differences } = await verifyImage(requestFor(name, asked))
    if (json) print({ damaged, differences })
    else {
      for (const file of damaged) process.stdout.write(`damaged in the cache: ${file}\n`)
      process.stdout.write(differences.map(line).join(''))
      if (!damaged.length && !differences.length) process.stdout.write('the same, bit for bit\n')
    }
    return damaged.length ? EXIT.lab : differences.length ? EXIT.harness : EXIT.passed
  }
  const manifest = await manifestOf(name, asked)
  if (action === 'diff') {
    const { differences } = await import('../image/difference.js')
    const found = differences(manifest, await manifestOf(other!, asked))
    if (json) print(found)
    else process.stdout.write(found.map(line).join('') || 'no difference\n')
  } else if (sbom) {
    print((await import('../image/sbom.js')).sbomOf(manifest))
  } else if (json) {
    print(manifest)
  } else {
    const { describeManifest } = await import('../image/describe-manifest.js')
    process.stdout.write(describeManifest(manifest))
  }
  return EXIT.passed
}

function wrongNumber(action: string): Fault {
  return new Fault({
    code: 'usage.image.number',
    culprit: 'usage',
    expected: action === 'diff' ? 'two images to compare' : `one image to ${action}`,
    seen: action === 'diff' ? 'one' : 'two',
    next: 'bootwright image --help',
  })
}

function line({ kind, name, before, after }: Difference): string {
  return `${kind.padEnd(9)} ${name}  ${before ?? '(none)'} -> ${after ?? '(none)'}\n`
}
