import { lstatSync, readFileSync, readlinkSync } from 'node:fs'
import { basename, join, posix } from 'node:path'
import { Fault } from '../../fault/fault.js'
import { needsOf } from '../elf.js'
import type { FileTree } from '../tree.js'

/** Files of unpacked packages, found by their path on the device whichever package they are in. */
export class PackageFiles {
  /** `folders` as `unpack` gives them; `triplet` as in /usr/lib/x86_64-linux-gnu. */
  constructor(
    private readonly folders: readonly string[],
    private readonly triplet: string,
  ) {}

  /** A file's contents, links followed across packages; undefined when no package has it. */
  read(path: string, depth = 0): Buffer | undefined {
    for (const folder of this.folders) {
      const host = join(folder, path)
      const info = lstatSync(host, { throwIfNoEntry: false })
      if (!info) continue
      if (!info.isSymbolicLink()) return readFileSync(host)
      return depth > 8
        ? undefined
        : this.read(posix.resolve(posix.dirname(path), readlinkSync(host)), depth + 1)
    }
    return undefined
  }

  /**
   * Puts programs into a tree, each where its package has it, with the libraries that they and those need, and
   * `loaded`: libraries that no file names because they are opened at run time.
   *
   * @throws Fault `image.packages.file` naming what is missing and who needs it
   */
  install(tree: FileTree, programs: readonly string[], loaded: readonly string[]): void {
    const queue: { name: string; neededBy: string }[] = loaded.map(name => ({ name, neededBy: 'image.yaml' }))
    const enqueue = (file: Buffer, neededBy: string) => {
      const { interpreter, libraries } = needsOf(file)
      if (interpreter && !tree.has(interpreter)) {
        tree.file(interpreter, this.read(interpreter) ?? this.missing(interpreter, neededBy), 0o755)
      }
      for (const name of libraries) queue.push({ name, neededBy })
    }
    for (const path of programs) {
      const file = this.read(path) ?? this.missing(path, 'image.yaml')
      tree.file(path, file, 0o755)
      enqueue(file, path)
    }
    const done = new Set<string>()
    for (let next = queue.shift(); next; next = queue.shift()) {
      if (done.has(next.name)) continue
      done.add(next.name)
      const file = this.library(next.name) ?? this.missing(next.name, next.neededBy)
      tree.file(`/lib/${this.triplet}/${next.name}`, file, 0o755)
      enqueue(file, next.name)
    }
  }

  private library(name: string): Buffer | undefined {
    return this.read(`/usr/lib/${this.triplet}/${name}`) ?? this.read(`/lib/${this.triplet}/${name}`)
  }

  private missing(path: string, neededBy: string): never {
    throw new Fault({
      code: 'image.packages.file',
      culprit: 'usage',
      expected: `${path}, needed by ${neededBy}`,
      seen: `none of the packages has it: ${this.folders.map(folder => basename(folder)).join(', ')}`,
      next: 'add the package that has it to image.yaml',
    })
  }
}
