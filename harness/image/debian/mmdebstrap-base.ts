import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runOrThrow } from '../../process/run.js'
import { sha256 } from '../key.js'
import { Apt, DEBIAN_ARCH, type PackageInput } from './apt.js'
import type { Arch } from '../manifest.js'
import { localRepository } from './mmdebstrap-repository.js'

/** Documentation and translations: nobody reads them on a device under test. */
const LEFT_OUT = ['doc', 'info', 'lintian', 'locale', 'man'].map(name => `/usr/share/${name}/*`)

export interface BaseRequest {
  suite: string
  arch: Arch
  /** Packages to install: all of them, with what they depend on. */
  packages: readonly PackageInput[]
  /** Users who log in without a password. */
  passwordless: readonly string[]
  cache: string
  scratch: string
  /** Time of the newest file, in seconds since 1970. */
  epoch: number
  signal: AbortSignal
  step(what: string): void
}

/**
 * A tar archive of a Debian system with exactly these packages installed and configured; from the cache when equal
 * packages were installed before, since this is by far the longest part of a build.
 *
 * Needs no root: mmdebstrap takes what it has, root or user namespaces (package uidmap and lines in /etc/subuid).
 *
 * @throws Fault `image.packages.*`, `image.bootstrap`
 */
export async function debianBase(request: BaseRequest): Promise<string> {
  const { suite, arch, packages, passwordless, cache, scratch, epoch, signal, step } = request
  const folder = join(cache, 'mmdebstrap')
  const key = sha256(JSON.stringify([suite, arch, packages, passwordless, epoch, LEFT_OUT])).slice(0, 16)
  const finished = join(folder, `${key}.tar`)
  if (existsSync(finished)) return finished
  await mkdir(folder, { recursive: true })
  step(`fetching ${packages.length} Debian packages`)
  const files = await (await Apt.open(cache, suite, arch, signal)).fetch(packages)
  const open = await openFolder(scratch)
  const partial = `${finished}.${process.pid}.partial`
  try {
    const source = await localRepository(join(open, 'repository'), packages, files, signal)
    step(`installing ${packages.length} Debian packages`)
    await runOrThrow(
      'mmdebstrap',
      [
        ...['--mode=auto', '--variant=apt', '--format=tar'],
        // A build that loses power is not a build: nothing need be forced to the disk.
        '--dpkgopt=force-unsafe-io',
        `--architectures=${DEBIAN_ARCH[arch]}`,
        `--include=${packages.map(({ name }) => name).join(',')}`,
        ...LEFT_OUT.map(pattern => `--dpkgopt=path-exclude=${pattern}`),
        ...passwordless.map(user => `--customize-hook=chroot "$1" passwd --delete ${user}`),
        ...['', partial, source],
      ],
      {
        signal,
        env: { ...process.env, SOURCE_DATE_EPOCH: String(epoch), TMPDIR: open, LC_ALL: 'C.UTF-8' },
        code: 'image.bootstrap',
        expected: 'mmdebstrap to install the packages',
        next: 'read what it said; without root it needs the package uidmap, and lines for this user in /etc/subuid and /etc/subgid',
      },
    )
    await rename(partial, finished)
    return finished
  } finally {
    await rm(partial, { force: true })
    await rm(open, { recursive: true, force: true })
  }
}

/** In a user namespace root is another user, who may not look into a home directory. */
async function openFolder(scratch: string): Promise<string> {
  const folder = await mkdtemp(join(process.getuid?.() === 0 ? scratch : tmpdir(), 'bootwright-debian-'))
  await chmod(folder, 0o755)
  return folder
}
