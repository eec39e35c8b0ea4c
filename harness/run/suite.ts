import { existsSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import { z } from 'zod'
import { readDeclaration } from '../declare/declaration.js'
import { suiteNames } from '../declare/declared-names.js'
import { size } from '../declare/size.js'
import { unknownName } from '../fault/usage.js'

const suiteFile = z.strictObject({
  describe: z.string(),
  /** Features that an image must declare for the suite to make sense on it at all. */
  requires: z.array(z.string()).default([]),
  /** Images it runs on when none is asked for. */
  images: z.array(z.string()).min(1),
  /** Memory that its tests take from the board beside what the image takes by itself, e.g. guests they create. */
  testMemory: size.default(0),
})

/** A folder of tests below `suites/`, declared by its `suite.yaml`. */
export interface Suite extends z.output<typeof suiteFile> {
  name: string
  folder: string
}

export function readSuites(root: string): Suite[] {
  return suiteNames(root).map(name => {
    const folder = join(root, 'suites', name)
    return { name, folder, ...readDeclaration(join(folder, 'suite.yaml'), suiteFile) }
  })
}

/** What a person asked to run: a suite and, when a single file was named, that file. */
export interface Selected {
  suite: Suite
  /** Absolute paths; empty for the whole suite. */
  files: string[]
}

/** Resolves what was typed (`xen`, `suites/xen`, `suites/xen/dom0.spec.ts`). @throws Fault `usage.suite.unknown` */
export function selectSuites(root: string, asked: readonly string[], cwd = process.cwd()): Selected[] {
  const suites = readSuites(root)
  if (asked.length === 0) return suites.map(suite => ({ suite, files: [] }))
  const selected = new Map<string, Selected>()
  for (const name of asked) {
    const path = [resolve(cwd, name), join(root, name)].find(candidate => existsSync(candidate))
    const suite = suites.find(
      s => s.name === name || (path && (path === s.folder || path.startsWith(s.folder + sep))),
    )
    if (!suite)
      throw unknownName('suite', name, [
        ...suites.map(s => relative(cwd, s.folder) || s.name),
        ...suites.map(s => s.name),
      ])
    const entry = selected.get(suite.name) ?? { suite, files: [] }
    if (path && path !== suite.folder) entry.files.push(path)
    selected.set(suite.name, entry)
  }
  return [...selected.values()]
}
