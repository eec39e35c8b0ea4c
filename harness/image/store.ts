import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { identify, isAlive } from '../process/identity.js'
import type { Artefacts } from './artefacts.js'
import { manifest } from './manifest.js'

/** An image that nothing has used for so long is removed, in ms: a seeded defect alone makes a dozen of them. */
const KEEP = 14 * 24 * 3600 * 1000
const PARTIAL = /\.(\d+)-(\d+)\.partial$/

/** Built images, each in a folder named by its key. A folder with a manifest is complete: it was renamed into place. */
export class ImageStore {
  constructor(readonly folder: string) {}

  /** The image, if it is here in full. */
  find(entry: string): Artefacts | undefined {
    const folder = join(this.folder, entry)
    try {
      const found = manifest.parse(JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')))
      if (found.artefacts.some(({ file, size }) => statSync(join(folder, file)).size !== size))
        return undefined
      utimesSync(folder, new Date(), new Date())
      return { folder, manifest: found }
    } catch {
      return undefined
    }
  }

  /** A folder to build in, that only this process uses and that is swept away when this process dies. */
  async begin(entry: string): Promise<string> {
    const me = identify(process.pid)!
    const folder = join(this.folder, `${entry}.${me.pid}-${me.start}.partial`)
    await mkdir(folder, { recursive: true })
    return folder
  }

  /** Moves what was built in `built` to its place. */
  async commit(built: string, entry: string): Promise<void> {
    const folder = join(this.folder, entry)
    // What is there is damaged, or it would have been found.
    await rm(folder, { recursive: true, force: true })
    await rename(built, folder)
  }

  /** Removes what dead processes left half-built, and images long unused. */
  sweep(): void {
    if (!existsSync(this.folder)) return
    for (const name of readdirSync(this.folder)) {
      const folder = join(this.folder, name)
      const [, pid, start] = PARTIAL.exec(name) ?? []
      if (pid !== undefined ? !isAlive({ pid: Number(pid), start: start! }) : isOld(folder)) {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }
}

function isOld(folder: string): boolean {
  return existsSync(join(folder, 'manifest.json')) && Date.now() - statSync(folder).mtimeMs > KEEP
}
