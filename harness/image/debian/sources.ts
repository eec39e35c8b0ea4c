import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Fault } from '../../fault/fault.js'

/** Where packages of one suite come from: lines for a sources.list, all to be verified with the archive's own keys. */
export interface Archive {
  uri: string
  suites: string[]
}

export interface SourcesHost {
  env: Readonly<Record<string, string | undefined>>
  /** Root of the file system that is looked at; `/` but for tests. */
  root: string
}

interface Entry {
  uris: string[]
  suites: string[]
  components: string[]
  signedBy: string | undefined
}

const KEYRING = 'debian-archive-keyring'

/**
 * Archives for a Debian suite: what BOOTWRIGHT_DEBIAN_MIRROR names, else those that this host itself uses, if it is a
 * Debian, else the default that the installed debootstrap has for the suite.
 *
 * @throws Fault `image.sources.none`
 */
export function archivesFor(suite: string, host: SourcesHost = { env: process.env, root: '/' }): Archive[] {
  const mirror = host.env['BOOTWRIGHT_DEBIAN_MIRROR']
  if (mirror) return [{ uri: mirror, suites: [suite, `${suite}-updates`] }]
  const release = osRelease(host.root)
  if (release['ID'] === 'debian') {
    const archives = ownArchives(host.root, release['VERSION_CODENAME'] ?? suite, suite)
    if (archives.length > 0) return archives
  }
  const fallback = debootstrapMirror(host.root, suite)
  if (fallback) return [{ uri: fallback, suites: [suite, `${suite}-updates`] }]
  throw new Fault({
    code: 'image.sources.none',
    culprit: 'usage',
    expected: `an archive of Debian packages for ${suite}`,
    seen: `${release['PRETTY_NAME'] ?? 'this host'} names none, and debootstrap is not installed`,
    next: 'install debootstrap, or set BOOTWRIGHT_DEBIAN_MIRROR to the address of a Debian mirror',
  })
}

/** The host's archives, turned from the host's own suite to the wanted one. */
function ownArchives(root: string, own: string, wanted: string): Archive[] {
  const archives = new Map<string, Set<string>>()
  for (const entry of hostEntries(root)) {
    if (!entry.components.includes('main')) continue
    if (entry.signedBy !== undefined && !entry.signedBy.includes(KEYRING)) continue
    for (const suite of entry.suites) {
      const pocket = /^(?<name>[a-z]+)(?<pocket>-updates|-security|\/updates)?$/.exec(suite)?.groups
      if (!pocket || ![own, 'stable', 'oldstable', 'testing'].includes(pocket['name']!)) continue
      for (const uri of entry.uris) {
        const suites = archives.get(uri) ?? new Set()
        archives.set(uri, suites.add(wanted + (pocket['pocket'] ?? '')))
      }
    }
  }
  return [...archives].map(([uri, suites]) => ({ uri, suites: [...suites] }))
}

function hostEntries(root: string): Entry[] {
  const etc = join(root, 'etc/apt')
  const files = [join(etc, 'sources.list'), ...list(join(etc, 'sources.list.d'))]
  return files.flatMap(file => {
    const text = read(file)
    if (text === undefined) return []
    if (file.endsWith('.sources')) return deb822Entries(text)
    return file.endsWith('.list') ? oneLineEntries(text) : []
  })
}

/** Entries of sources.list(5), deb822 style. */
export function deb822Entries(text: string): Entry[] {
  const lines = text.split('\n').filter(line => !line.startsWith('#'))
  return lines
    .join('\n')
    .split(/\n\s*\n/)
    .flatMap(stanza => {
      const fields = new Map<string, string>()
      for (const [, name, value] of stanza.matchAll(/^([A-Za-z-]+):[ \t]*(.*(?:\n[ \t].*)*)/gm)) {
        fields.set(name!.toLowerCase(), value!)
      }
      const words = (name: string) => (fields.get(name) ?? '').split(/\s+/).filter(Boolean)
      if (!words('types').includes('deb') || /^(no|false|off|0)$/i.test(fields.get('enabled') ?? ''))
        return []
      return [
        {
          uris: words('uris'),
          suites: words('suites'),
          components: words('components'),
          signedBy: fields.get('signed-by'),
        },
      ]
    })
}

/** Entries of sources.list(5), one-line style. */
export function oneLineEntries(text: string): Entry[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*deb\s+(?:\[(?<options>[^\]]*)\]\s+)?(?<uri>\S+)\s+(?<suite>\S+)\s+(?<rest>[^#]*)/.exec(
      line,
    )
    const { options, uri, suite, rest } = match?.groups ?? {}
    if (!uri || !suite || rest === undefined) return []
    return [
      {
        uris: [uri],
        suites: [suite],
        components: rest.split(/\s+/).filter(Boolean),
        signedBy: /signed-by=(\S+)/.exec(options ?? '')?.[1],
      },
    ]
  })
}

/** What debootstrap's script for the suite names, else the program itself, for suites that have no mirror of their own. */
function debootstrapMirror(root: string, suite: string): string | undefined {
  const script = read(join(root, 'usr/share/debootstrap/scripts', basename(suite)))
  if (script === undefined) return undefined
  const program = read(join(root, 'usr/sbin/debootstrap')) ?? ''
  const named = /\bdefault_mirror\s+["']?(https?:[^\s"']+)/.exec(script)
  return (named ?? /^DEF_MIRROR="?([^\s"]+)/m.exec(program))?.[1]
}

function osRelease(root: string): Record<string, string | undefined> {
  const lines = (read(join(root, 'etc/os-release')) ?? '').matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]))
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map(name => join(folder, name))
  } catch {
    return []
  }
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}
