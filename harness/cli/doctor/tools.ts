import type { Check } from './check.js'
import { findProgram } from './program.js'

interface Tool {
  program: string
  package: string
  /** Completes "without it there is no ...". */
  use: string
  needed: boolean
}

const TOOLS: readonly Tool[] = [
  { program: 'setpriv', package: 'util-linux', use: 'ending QEMU with us', needed: true },
  { program: 'qemu-img', package: 'qemu-utils', use: 'disk overlay', needed: true },
  { program: 'apt-get', package: 'apt', use: 'download of Debian packages', needed: true },
  { program: 'dpkg-deb', package: 'dpkg', use: 'unpacking of Debian packages', needed: true },
  { program: 'tar', package: 'tar', use: 'unpacking of Debian packages', needed: true },
  { program: 'flock', package: 'util-linux', use: 'taking turns with another run', needed: true },
  { program: 'mkfs.ext4', package: 'e2fsprogs', use: 'ext4 disk', needed: true },
  { program: 'mmdebstrap', package: 'mmdebstrap', use: 'Debian root file system', needed: true },
]

// Where Debian keeps programs for administrators; not on the PATH of others.
const SYSTEM_FOLDERS = '/usr/sbin:/sbin'

export function toolChecks(path = process.env['PATH'] ?? ''): Check[] {
  return TOOLS.map(({ program, package: packageName, use, needed }) => ({
    name: program,
    needed,
    async check() {
      const found = findProgram(program, path)
      if (found) return { ok: true, seen: found }
      const elsewhere = findProgram(program, SYSTEM_FOLDERS)
      if (elsewhere) {
        return {
          ok: false,
          seen: `${elsewhere} is not on the PATH`,
          remedy: `export PATH="$PATH:${SYSTEM_FOLDERS}"`,
        }
      }
      return {
        ok: false,
        seen: `not installed: without it there is no ${use}`,
        remedy: `sudo apt-get install ${packageName}`,
      }
    },
  }))
}
