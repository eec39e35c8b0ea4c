import type { Argv, CommandModule } from 'yargs'
import { failWith } from './failure.js'

const KINDS = ['boards', 'images', 'suites', 'tests'] as const
type Kind = (typeof KINDS)[number]

interface ListArguments {
  what: Kind | undefined
  image: string[] | undefined
  lab: string
  json: boolean
}

export const list: CommandModule<object, ListArguments> = {
  command: 'list [what]',
  describe: 'What there is: boards, images, suites, tests, and why a test would not run',
  builder: (yargs: Argv) =>
    yargs
      .positional('what', { describe: 'All of it when not said', choices: KINDS })
      .option('image', {
        alias: 'i',
        describe: 'Tests as they would run on these images',
        type: 'string',
        array: true,
      })
      .option('lab', { describe: 'Lab file below labs/', type: 'string', default: 'local' })
      .option('json', { describe: 'Print JSON', type: 'boolean', default: false })
      .example('$0 list tests --image xen-dom0 --json', 'each test with its tags, for a script'),
  handler: async argv => {
    try {
      const wanted = argv.what ? [argv.what] : KINDS
      const found = Object.fromEntries(
        await Promise.all(wanted.map(async kind => [kind, await read(kind, argv)] as const)),
      )
      if (argv.json)
        process.stdout.write(`${JSON.stringify(argv.what ? found[argv.what] : found, undefined, 2)}\n`)
      else for (const kind of wanted) process.stdout.write(`${kind}\n${table(found[kind]!)}\n`)
    } catch (error) {
      failWith(error)
    }
  },
}

type Row = Record<string, unknown>

async function read(kind: Kind, argv: ListArguments): Promise<Row[]> {
  const { repositoryRoot } = await import('../run/root.js')
  const root = repositoryRoot()
  switch (kind) {
    case 'boards': {
      const { readLab } = await import('../board/inventory.js')
      return [...readLab(root, argv.lab).boards].map(([name, board]) => ({ name, ...board }))
    }
    case 'images': {
      const { listImages } = await import('../image/declarations.js')
      return listImages(root).map(({ name, description, boardClasses, features }) => ({
        name,
        boardClasses,
        features,
        description,
      }))
    }
    case 'suites': {
      const { readSuites } = await import('../run/suite.js')
      return readSuites(root).map(({ name, describe, requires, images }) => ({
        name,
        requires,
        images,
        describe,
      }))
    }
    case 'tests': {
      const [{ makePlan }, { listTests }] = await Promise.all([
        import('../run/plan.js'),
        import('../run/list-tests.js'),
      ])
      const plan = makePlan({
        root,
        lab: argv.lab,
        commandLine: [],
        ...(argv.image && { images: argv.image }),
      })
      return (await listTests(plan)).map(test => ({ ...test }))
    }
  }
}

function table(rows: readonly Row[]): string {
  return rows
    .map(row => {
      const [name, ...rest] = Object.entries(row)
        .filter(([key]) => key !== 'line')
        .map(([key, value]) => (key === 'file' ? `${String(value)}:${String(row['line'])}` : shown(value)))
      return `  ${name ?? ''}  ${rest.filter(Boolean).join('  ')}${row['wouldNotRun'] === undefined ? '' : '  (would not run)'}`
    })
    .join('\n')
}

function shown(value: unknown): string {
  if (Array.isArray(value)) return value.join(value.every(part => String(part).startsWith('@')) ? ' ' : ', ')
  return String(value)
}
