import { once } from 'node:events'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Fault } from '../../fault/fault.js'
import { spawnTied } from '../../process/tied.js'

/** Parts of a kernel that no image here can use, and that make up most of it. */
const LEFT_OUT = ['drivers/gpu', 'drivers/media', 'drivers/net/wireless', 'drivers/infiniband', 'sound']

/**
 * The contents of a package's file in a folder of their own, unpacked unless an earlier build did. No maintainer
 * script runs, so that packages of a foreign architecture are as good as any.
 *
 * @throws Fault `image.packages.unpack`
 */
export async function unpack(deb: string, cache: string, signal: AbortSignal): Promise<string> {
  const folder = join(cache, 'unpacked', basename(deb, '.deb'))
  if (await stat(folder).catch(() => undefined)) return folder
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
    return folder
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}
