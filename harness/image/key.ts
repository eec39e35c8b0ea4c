import { createHash } from 'node:crypto'
import { createReadStream, lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Input } from './backend.js'

export function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

/** Digest of a file of any size. */
export async function fileDigest(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Every file below the given paths of a folder, as inputs: contents, link targets and permission to run count. */
export function fileInputs(folder: string, paths: readonly string[]): Extract<Input, { kind: 'file' }>[] {
  return paths
    .flatMap(path => filesAt(join(folder, path)))
    .map(file => ({ kind: 'file' as const, path: relative(folder, file), sha256: sha256(identityOf(file)) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

function filesAt(path: string): string[] {
  if (!lstatSync(path).isDirectory()) return [path]
  return readdirSync(path).flatMap(name => filesAt(join(path, name)))
}

function identityOf(file: string): Buffer {
  const info = lstatSync(file)
  if (info.isSymbolicLink()) return Buffer.from(`link ${readlinkSync(file)}`)
  return Buffer.concat([Buffer.from(info.mode & 0o100 ? 'program ' : 'file '), readFileSync(file)])
}

/** Digest of a module of the builder and of all modules of the builder that it imports: it decides the bytes too. */
export function codeDigest(module: string): string {
  const root = dirname(fileURLToPath(import.meta.url))
  const seen = new Map<string, string>()
  const visit = (file: string) => {
    if (seen.has(file) || relative(root, file).startsWith('..')) return
    const text = readFileSync(file, 'utf8')
    seen.set(file, text)
    for (const [, path] of text.matchAll(/\bfrom\s*["'](\.[^"']+)["']/g)) visit(join(dirname(file), path!))
  }
  visit(fileURLToPath(module))
  return sha256(JSON.stringify([...seen.values()].sort()))
}
