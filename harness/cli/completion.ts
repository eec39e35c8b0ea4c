import type { Argv, CommandModule } from 'yargs'

/** What a shell passes when it wants to know what fits; the rest are the words so far, the last one unfinished. */
export const COMPLETION_KEY = '--get-yargs-completions'

/**
 * What fits where the cursor is: names after options and verbs that take some, options after a hyphen, else verbs.
 * yargs would run the verb's checks on the unfinished line, and say nothing.
 */
export async function completionsFor(
  words: readonly string[],
  verbs: readonly CommandModule<object, never>[],
): Promise<string[]> {
  const [, verbName = '', ...rest] = words
  const current = words.at(-1) ?? ''
  const verb = verbs.find(({ command }) => nameOf(command) === verbName)
  const all =
    !verb || rest.length === 0
      ? [...verbs.map(({ command }) => nameOf(command)), 'completion']
      : current.startsWith('-')
        ? await optionsOf(verb)
        : await namesFor(words.at(-2) ?? '', verbName, rest.length === 1)
  return all.filter(name => name.startsWith(current))
}

function nameOf(command: CommandModule['command']): string {
  return String(command).split(' ')[0]!
}

async function optionsOf({ builder }: CommandModule<object, never>): Promise<string[]> {
  const { default: yargs } = await import('yargs')
  const built = (builder as (argv: Argv) => Argv)(yargs([])) as Argv & { getOptions(): { key: object } }
  return Object.keys(built.getOptions().key)
    .filter(key => key.length > 1)
    .map(key => `--${key}`)
}

async function namesFor(previous: string, verb: string, isFirst: boolean): Promise<string[]> {
  const [{ repositoryRoot }, { imageNames, suiteNames }] = await Promise.all([
    import('../run/root.js'),
    import('../declare/declared-names.js'),
  ])
  const root = repositoryRoot()
  if (
    previous === '--image' ||
    previous === '-i' ||
    (verb === 'build' && isFirst) ||
    (verb === 'image' && !isFirst)
  ) {
    return imageNames(root)
  }
  if (previous === '--board' || previous === '-b' || (verb === 'boot' && isFirst)) {
    return [...(await import('../board/inventory.js')).readLab(root, 'local').boards.keys()]
  }
  if (verb === 'image') return ['show', 'diff', 'verify']
  if (!previous.startsWith('-') && (verb === 'run' || verb === 'defects')) {
    return suiteNames(root).map(name => `suites/${name}`)
  }
  return []
}
