import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Arch } from '../manifest.js'
import { Fault } from '../../fault/fault.js'
import { spawnTied } from '../../process/tied.js'
import { Apt, type PackageInput } from './apt.js'

/** Parts of a kernel that no image here can use, and that make up most of it. */
const LEFT_OUT = ['drivers/gpu', 'drivers/media', 'drivers/net/wireless', 'drivers/infiniband', 'sound']

/** How many packages are unpacked side by side: the work is one processor's each. */
const AT_ONCE = 2

export interface UnpackRequest {
  /** Folder that backends share. */
  cache: string
  suite: string
  arch: Arch
  signal: AbortSignal
  step(what: string): void
}

/**
 * The contents of packages, each in a folder of its own, by name. What an earlier build has unpacked is used again, and
 * needs no archive. No maintainer script runs, so that packages of a foreign architecture are as good as any.
 *
 * @throws Fault `image.packages.*`
 */
export async function unpackAll(
  packages: readonly PackageInput[],
  { cache, suite, arch, signal, step }: UnpackRequest,
): Promise<Map<string, string>> {
  const folderOf = ({ name, version, sha256 }: PackageInput) =>
    join(cache, 'unpacked', `${name}_${version}_${sha256.slice(0, 12)}`)
  const missing = packages.filter(input => !existsSync(folderOf(input)))
  if (missing.length > 0) {
    step(`fetching ${missing.length} Debian packages`)
    const apt = await Apt.open(cache, suite, arch, signal)
    const queue = (await apt.fetch(missing)).map((file, index) => [file, missing[index]!] as const)
    step(`unpacking ${missing.length} Debian packages`)
    const worker = async () => {
      for (let next = queue.shift(); next; next = queue.shift()) {
        const [file, input] = next
        await unpack(file, folderOf(input), signal)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
  }
  return new Map(packages.map(input => [input.name, folderOf(input)]))
}

async function unpack(deb: string, folder: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  const partial = `${folder}.${process.pid}.partial`
  await mkdir(partial, { recursive: true })
  try {
    const reader = spawnTied('dpkg-deb', ['--fsys-tarfile', deb], { stdio: ['ignore', 'pipe', 'pipe'] })
    const without = LEFT_OUT.map(path => `--exclude=./lib/modules/*/kernel/${path}`)
    const writer = spawnTied('tar', ['-x', '--no-same-owner', '-C', partial, ...without], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    const said: string[] = []
    const end = () => [reader, writer].forEach(child => child.kill('SIGTERM'))
    signal.addEventListener('abort', end, { once: true })
    for (const child of [reader, writer])
      child.stderr!.on('data', (chunk: Buffer) => said.push(chunk.toString()))
    // A reader or writer that dies is judged by its exit code, not by the pipe it breaks.
    writer.stdin!.on('error', () => reader.kill('SIGTERM'))
    reader.stdout!.pipe(writer.stdin!)
    const codes = await Promise.all(
      [reader, writer].map(async child => (await once(child, 'close'))[0] as number),
    )
    signal.removeEventListener('abort', end)
    signal.throwIfAborted()
    if (codes.some(code => code !== 0)) {
      throw new Fault({
        code: 'image.packages.unpack',
        culprit: 'harness',
        expected: `${basename(deb)} to be unpacked`,
        seen: `dpkg-deb and tar ended with exit codes ${codes.join(' and ')}`,
        next: 'see what they said; is there space on the disk?',
        evidence: said.join('').trim().split('\n').slice(-8),
      })
    }
    await rename(partial, folder).catch(async (error: NodeJS.ErrnoException) => {
      // Another build was quicker with the same package.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
