import { copyFile, mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { runOrThrow } from '../../process/run.js'
import type { PackageInput } from './apt.js'

/**
 * A repository of exactly these packages in a new folder, so that what is installed is what was resolved, whatever
 * the archive has by now. Anyone may read it: without root, apt runs as a user of another number.
 *
 * @param files package files, in the order of `packages`
 * @returns its line for a sources.list
 */
export async function localRepository(
  folder: string,
  packages: readonly PackageInput[],
  files: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  await mkdir(folder, { mode: 0o755 })
  const stanzas: string[] = []
  for (const [index, file] of files.entries()) {
    const { stdout } = await runOrThrow('dpkg-deb', ['--field', file], {
      signal,
      code: 'image.packages.unpack',
      expected: `the control file of ${basename(file)}`,
      next: 'delete the file: it will be downloaded again',
    })
    const name = `${index}.deb`
    await copyFile(file, join(folder, name))
    stanzas.push(stanza(stdout.toString(), name, (await stat(file)).size, packages[index]!.sha256))
  }
  await writeFile(join(folder, 'Packages'), stanzas.join('\n'))
  // Digests come from the signed archive by way of the resolved inputs: no second signature is needed.
  return `deb [trusted=yes] copy:${folder} ./`
}

/** A package's entry in a `Packages` file: its control file, and where and what the package's file is. */
export function stanza(control: string, file: string, size: number, sha256: string): string {
  return `${control.trimEnd()}\nFilename: ./${file}\nSize: ${size}\nSHA256: ${sha256}\n`
}
