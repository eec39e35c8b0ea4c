import { spawn, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { SetupFailure } from './failure.mjs'
import { showProgress } from './progress.mjs'

/** Debian packages that building and booting images call, by what for. */
const RUN = {
  'qemu-system-x86': 'boots x86-64 boards',
  'qemu-system-arm': 'boots arm64 boards',
  'qemu-utils': 'makes disk overlays',
  mmdebstrap: 'builds Debian root file systems',
  'debian-archive-keyring': 'checks what is downloaded from Debian',
  e2fsprogs: 'makes ext4 disks',
  cpio: 'makes initramfs archives',
  zstd: 'packs and unpacks archives',
  'xz-utils': 'packs and unpacks archives',
  'util-linux': 'ties child processes to us (setpriv)',
}
/** What only the tests and measurements need. */
const DEV = {
  socat: 'puts shells on terminals for the tests',
  'busybox-static': 'is one of the shells that the tests talk to',
  'python3-pexpect': 'the peer of the console measurements',
}

/** What others than Debian need to know where Debian's packages are. */
const ELSEWHERE = {
  debootstrap: 'names the Debian archive',
}

export function missingPackages({ dev }) {
  const wanted = Object.keys({ ...RUN, ...(!isDebian() && ELSEWHERE), ...(dev && DEV) })
  const query = spawnSync('dpkg-query', ['-W', '-f', '${Package} ${db:Status-Status}\n', ...wanted], {
    encoding: 'utf8',
  })
  if (query.error) {
    throw new SetupFailure(
      `Bootwright sets itself up on Debian and Ubuntu; this is ${systemName()}, without dpkg. It needs: ${wanted.join(' ')}`,
    )
  }
  const installed = new Set(query.stdout.split('\n'))
  return wanted.filter(name => !installed.has(`${name} installed`))
}

/** Installs what is missing, as root or through sudo; shows each command before it runs. */
export async function installPackages({ dev }) {
  const missing = missingPackages({ dev })
  const asRoot = rootPrefix()
  const install = installCommand(missing)
  if (asRoot === undefined) {
    throw new SetupFailure(
      `System packages are missing and need root to be installed. Run this, then the same command again:\n  ${oneLine(missing)}`,
    )
  }
  process.stderr.write(`System packages are missing: ${missing.join(' ')}\n`)
  if (someUnknown(missing)) await mustRun([...asRoot, ...APT, 'update'])
  if ((await runShown([...asRoot, ...install])).code === 0) return
  process.stderr.write('That failed; trying again with fresh package lists.\n')
  await mustRun([...asRoot, 'dpkg', '--configure', '-a'])
  await mustRun([...asRoot, ...APT, 'update'])
  await mustRun([...asRoot, ...install])
}

/** The command line for somebody with the rights: complete, and harmless when run twice. */
export function oneLine(missing) {
  return `sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing.join(' ')}`
}

// A machine just started may be upgrading itself: wait for its lock.
const APT = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=300']

function installCommand(packages) {
  return [...APT, 'install', '-y', '--no-install-recommends', ...packages]
}

/** How to become root: nothing when we are, sudo when it asks nothing or somebody is there to answer it. */
function rootPrefix() {
  if (process.getuid() === 0) return []
  if (spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0) return ['sudo', '-n']
  const hasSudo = !spawnSync('sudo', ['-V'], { stdio: 'ignore' }).error
  return hasSudo && process.stdin.isTTY ? ['sudo'] : undefined
}

/** Whether apt knows no version of one of them: its lists were never fetched, or lack a section. */
function someUnknown(packages) {
  const { stdout } = spawnSync('apt-cache', ['policy', ...packages], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
  })
  const known = [...(stdout ?? '').matchAll(/^ {2}Candidate: (?!\(none\))/gm)].length
  return known < packages.length
}

async function mustRun(command) {
  const { code, said } = await runShown(command)
  if (code === 0) return
  throw new SetupFailure(
    `${said.slice(-15).join('\n')}\n"${command.join(' ')}" failed with exit code ${code}; what it said is above.`,
  )
}

async function runShown(command) {
  process.stderr.write(`$ ${command.join(' ')}\n`)
  const status = command.includes('apt-get') ? ['-o', 'APT::Status-Fd=1'] : []
  const [program, ...args] = [...command, ...status]
  const child = spawn(program, args, { stdio: ['inherit', 'pipe', 'pipe'] })
  const said = showProgress(child)
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status, signal) => resolve(status ?? `signal ${signal}`))
  })
  return { code, said: said() }
}

function systemName() {
  return /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease())?.[1] ?? process.platform
}

function isDebian() {
  return /^ID="?debian"?$/m.test(osRelease())
}

function osRelease() {
  try {
    return readFileSync('/etc/os-release', 'utf8')
  } catch {
    return ''
  }
}
