import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../../fault/fault.js'
import { run, runOrThrow } from '../../process/run.js'
import type { Input } from '../backend.js'
import { fileDigest } from '../key.js'
import type { Arch } from '../manifest.js'
import { archivesFor, type Archive } from './sources.js'

export type PackageInput = Extract<Input, { kind: 'package' }>

/** A package of the archive, down to its bytes. */
export interface ArchivePackage extends PackageInput {
  uri: string
}

export const DEBIAN_ARCH: Record<Arch, 'amd64' | 'arm64'> = { 'x86-64': 'amd64', arm64: 'arm64' }

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'

/**
 * A view of the Debian archive for one suite and architecture that leaves the host's own package state alone: lists,
 * configuration and cache lie in a folder of ours, so that foreign architectures need neither root nor dpkg's consent.
 */
export class Apt {
  private constructor(
    private readonly config: string,
    private readonly downloads: string,
    private readonly signal: AbortSignal,
  ) {}

  /** `cache` as a backend gets it. Several builds may share it, also at once. */
  static async open(cache: string, suite: string, target: Arch, signal: AbortSignal): Promise<Apt> {
    await access(KEYRING).catch((cause: unknown) => {
      throw new Fault({
        code: 'image.keyring.missing',
        culprit: 'usage',
        expected: `Debian's archive keys in ${KEYRING}`,
        seen: 'the file is not there',
        next: 'install the package debian-archive-keyring',
        cause,
      })
    })
    const archives = archivesFor(suite)
    const state = createHash('sha256').update(JSON.stringify(archives)).digest('hex').slice(0, 8)
    const home = join(cache, 'apt', `${suite}-${target}-${state}`)
    const downloads = join(cache, 'packages')
    for (const folder of [join(home, 'lists/partial'), join(home, 'archives/partial'), downloads]) {
      await mkdir(folder, { recursive: true })
    }
    await replace(join(home, 'sources.list'), sourcesList(archives))
    await replace(join(home, 'status'), '')
    await replace(join(home, 'apt.conf'), configuration(home, target) + (await hostTransport(signal)))
    return new Apt(join(home, 'apt.conf'), downloads, signal)
  }

  /** Fetches the lists of packages anew and checks their signatures. @throws Fault `image.packages.lists` */
  async update(): Promise<void> {
    await runOrThrow('apt-get', ['update', '--error-on=any'], {
      ...this.options(),
      code: 'image.packages.lists',
      expected: 'the lists of Debian packages, signed by Debian',
      next: 'check the network, and the archive that the message names (BOOTWRIGHT_DEBIAN_MIRROR chooses another)',
    })
  }

  /** Exactly these packages at the newest version, without what they depend on. @throws Fault `image.packages.unknown` */
  async locate(names: readonly string[]): Promise<ArchivePackage[]> {
    const { stdout } = await this.ask('apt-get', ['download', '--print-uris', ...names], names)
    return parseUris(stdout.toString())
  }

  /**
   * These packages and everything they depend on, for an empty system. Names may be apt patterns
   * (`?essential`). @throws Fault `image.packages.unknown`
   */
  async closure(names: readonly string[]): Promise<ArchivePackage[]> {
    const install = ['install', '--print-uris', '--yes', '--no-install-recommends', ...names]
    const { stdout } = await this.ask('apt-get', install, names)
    // What `install` prints may lack the SHA-256, or have no digest at all.
    const chosen = stdout.toString().matchAll(/^'\S+' ([^_\s]+)_([^_\s]+)_([^_\s]+)\.deb /gm)
    return await this.locate(
      [...chosen].map(([, name, version]) => `${name}=${decodeURIComponent(version!)}`),
    )
  }

  /** Names of the packages that a package depends on directly; the first of alternatives. */
  async dependencies(name: string): Promise<string[]> {
    const { stdout } = await this.ask('apt-cache', ['show', '--no-all-versions', name], [name])
    const field = /^Depends: (.*)$/m.exec(stdout.toString())?.[1] ?? ''
    return field
      .split(',')
      .map(part => /^\s*([^\s:(|]+)/.exec(part)?.[1])
      .filter(part => part !== undefined)
  }

  /**
   * The packages' files, in their order; those not there yet are downloaded. All digests are checked.
   *
   * @throws Fault `image.packages.download`, `image.packages.digest`
   */
  async fetch(wanted: readonly PackageInput[]): Promise<string[]> {
    const files = wanted.map(input => join(this.downloads, fileName(input)))
    const present = await Promise.all(files.map(digest))
    const missing = wanted.filter((input, index) => present[index] !== input.sha256)
    if (missing.length > 0) await this.download(missing)
    return files
  }

  private async download(missing: readonly PackageInput[]): Promise<void> {
    const partial = await mkdtemp(join(this.downloads, 'partial-'))
    const download = () =>
      runOrThrow('apt-get', ['download', ...missing.map(({ name, version }) => `${name}=${version}`)], {
        ...this.options(),
        cwd: partial,
        code: 'image.packages.download',
        expected: `the packages ${missing.map(({ name, version }) => `${name} ${version}`).join(', ')}`,
        next: 'check the network; if the archive has newer versions only, build with --force',
      })
    try {
      // The lists may be missing or older than what is wanted.
      await download().catch(async () => {
        this.signal.throwIfAborted()
        await this.update()
        await download()
      })
      for (const input of missing) {
        const fresh = join(partial, fileName(input))
        const seen = await digest(fresh)
        if (seen !== input.sha256) throw wrongDigest(input, seen)
        await rename(fresh, join(this.downloads, fileName(input)))
      }
    } finally {
      await rm(partial, { recursive: true, force: true })
    }
  }

  private async ask(command: string, args: string[], names: readonly string[]) {
    return await runOrThrow(command, args, {
      ...this.options(),
      code: 'image.packages.unknown',
      expected: `packages of this suite and architecture: ${names.join(', ')}`,
      next: 'correct the names in image.yaml',
    })
  }

  private options() {
    return { signal: this.signal, env: { ...process.env, APT_CONFIG: this.config, LC_ALL: 'C.UTF-8' } }
  }
}

/** Lines of `--print-uris`: 'address' name_version_arch.deb size SHA256:digest. */
export function parseUris(text: string): ArchivePackage[] {
  const line = /^'(\S+)' ([^_\s]+)_([^_\s]+)_([^_\s]+)\.deb \d+ SHA256:([0-9a-f]{64})$/gm
  return [...text.matchAll(line)].map(([, uri, name, version, arch, sha256]) => ({
    kind: 'package',
    name: name!,
    version: decodeURIComponent(version!),
    arch: arch!,
    sha256: sha256!,
    uri: uri!,
  }))
}

/** As apt names what it downloads. */
function fileName({ name, version, arch }: PackageInput): string {
  return `${name}_${version.replaceAll(':', '%3a')}_${arch}.deb`
}

function wrongDigest({ name, version, sha256 }: PackageInput, seen: string | undefined): Fault {
  return new Fault({
    code: 'image.packages.digest',
    culprit: 'lab',
    expected: `${name} ${version} with SHA-256 ${sha256}`,
    seen: `the archive delivered ${seen ?? 'nothing'}`,
    next: 'build with --force to look the version up again; if it stays, the mirror is broken',
  })
}

function sourcesList(archives: readonly Archive[]): string {
  return archives
    .flatMap(({ uri, suites }) => suites.map(suite => `deb [signed-by=${KEYRING}] ${uri} ${suite} main\n`))
    .join('')
}

function configuration(home: string, target: Arch): string {
  const settings: Record<string, string> = {
    'APT::Architecture': DEBIAN_ARCH[target],
    'APT::Sandbox::User': 'root',
    'Dir::Etc::SourceList': join(home, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::Etc::Main': '/dev/null',
    'Dir::Etc::Parts': '/dev/null',
    'Dir::Etc::Preferences': '/dev/null',
    'Dir::Etc::PreferencesParts': '/dev/null',
    'Dir::State': home,
    'Dir::State::Lists': join(home, 'lists'),
    'Dir::State::Status': join(home, 'status'),
    'Dir::Cache': home,
    'Dir::Cache::Archives': join(home, 'archives'),
    'Acquire::Languages': 'none',
    'DPkg::Lock::Timeout': '120',
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} "${value}";\n`)
  return lines.join('') + `APT::Architectures { "${DEBIAN_ARCH[target]}"; };\n`
}

/** How this host reaches archives (proxies, certificates, retries) stays as its owner has set it. */
async function hostTransport(signal: AbortSignal): Promise<string> {
  const { stdout } = await run('apt-config', ['dump', '--no-empty'], { signal })
  const lines = stdout.toString().split('\n')
  return lines
    .filter(line => /^Acquire::(https?|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])\b/.test(line))
    .map(line => `${line}\n`)
    .join('')
}

async function digest(file: string): Promise<string | undefined> {
  try {
    return await fileDigest(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function replace(file: string, text: string): Promise<void> {
  const fresh = `${file}.${process.pid}`
  await writeFile(fresh, text)
  await rename(fresh, file)
}
