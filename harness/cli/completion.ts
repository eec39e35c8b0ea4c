/** Names that fit where the cursor is: images after --image, boards after --board and `boot`, suites after `run`. */
export async function complete(
  current: string,
  _argv: unknown,
  byDefault: (done: (error: Error | null, completions: string[] | undefined) => void) => void,
  done: (completions: string[]) => void,
): Promise<void> {
  const words = process.argv.slice(process.argv.indexOf('--get-yargs-completions') + 1)
  const names = await namesFor(
    words.at(-2) ?? '',
    words.find(word => !word.startsWith('-') && word !== 'bootwright') ?? '',
  )
  if (names) return done(names.filter(name => name.startsWith(current)))
  byDefault((_, completions) => done(completions ?? []))
}

async function namesFor(previous: string, verb: string): Promise<string[] | undefined> {
  const { repositoryRoot } = await import('../run/root.js')
  const root = repositoryRoot()
  const images = async () =>
    (await import('../image/declarations.js')).listImages(root).map(image => image.name)
  const boards = async () => [...(await import('../board/inventory.js')).readLab(root, 'local').boards.keys()]
  if (previous === '--image' || previous === '-i' || previous === 'build') return images()
  if (previous === '--board' || previous === '-b' || previous === 'boot') return boards()
  if (verb === 'run' && previous === 'run') {
    return (await import('../run/suite.js')).readSuites(root).map(suite => `suites/${suite.name}`)
  }
  return undefined
}
