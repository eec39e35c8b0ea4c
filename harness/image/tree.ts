import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'

/** `mode` holds permissions only. */
export type Entry =
  | { kind: 'folder'; mode: number }
  | { kind: 'file'; mode: number; data: Buffer }
  | { kind: 'link'; target: string }
  | { kind: 'device'; mode: number; type: 'char' | 'block'; major: number; minor: number }

/**
 * A file system in the making: absolute path to entry. All belongs to root, and nothing has a time of its own, so that
 * equal contents are equal bytes. Parents appear by themselves; a path through a link lands where the link leads.
 */
export class FileTree {
  private readonly entries = new Map<string, Entry>()

  folder(path: string, mode = 0o755): this {
    return this.put(path, { kind: 'folder', mode })
  }

  file(path: string, data: Buffer | string, mode = 0o644): this {
    return this.put(path, { kind: 'file', mode, data: Buffer.from(data) })
  }

  link(path: string, target: string): this {
    return this.put(path, { kind: 'link', target })
  }

  device(path: string, mode: number, type: 'char' | 'block', major: number, minor: number): this {
    return this.put(path, { kind: 'device', mode, type, major, minor })
  }

  /** A folder of the host with all that is in it; of permissions, whether a file may be run is kept. */
  overlay(host: string, at = '/'): this {
    for (const entry of readdirSync(host, { withFileTypes: true })) {
      const source = join(host, entry.name)
      const path = posix.join(at, entry.name)
      if (entry.isDirectory()) this.overlay(source, path)
      else if (entry.isSymbolicLink()) this.link(path, readlinkSync(source))
      else this.file(path, readFileSync(source), statSync(source).mode & 0o100 ? 0o755 : 0o644)
    }
    return this
  }

  /** Whether there was something to take away: the path itself, and what is below it. */
  remove(path: string): boolean {
    const resolved = this.resolve(path)
    const doomed = [...this.entries.keys()].filter(p => p === resolved || p.startsWith(`${resolved}/`))
    for (const key of doomed) this.entries.delete(key)
    return doomed.length > 0
  }

  has(path: string): boolean {
    return this.entries.has(this.resolve(path))
  }

  /** Sorted, so that a folder comes before what is in it. */
  sorted(): [path: string, entry: Entry][] {
    return [...this.entries].sort(([a], [b]) => (a < b ? -1 : 1))
  }

  private put(path: string, entry: Entry): this {
    const resolved = this.resolve(path)
    for (let parent = dirname(resolved); parent !== '/'; parent = dirname(parent)) {
      if (!this.entries.has(parent)) this.entries.set(parent, { kind: 'folder', mode: 0o755 })
    }
    this.entries.set(resolved, entry)
    return this
  }

  /** The path with links in its folders followed; a link at its very end is left alone. */
  private resolve(path: string): string {
    let at = ''
    for (const part of posix.dirname(path).split('/').filter(Boolean)) {
      at = `${at}/${part}`
      const entry = this.entries.get(at)
      if (entry?.kind === 'link') at = this.resolve(posix.resolve(posix.dirname(at), entry.target))
    }
    return `${at}/${posix.basename(path)}`
  }
}
