import type { Lab } from '../../board/inventory.js'
import type { Arch } from '../../image/manifest.js'
import { chooseAccelerator } from '../../qemu/accelerator.js'
import { qemuPackage, qemuProgram, qemuVersion } from '../../qemu/binary.js'
import type { Check, Finding } from './check.js'
import { findProgram } from './program.js'

const ARCHES: readonly Arch[] = ['x86-64', 'arm64']
const OWN: Arch | undefined = ({ x64: 'x86-64', arm64: 'arm64' } as Record<string, Arch>)[process.arch]

/** QEMU and its speed, for each architecture; needed where the lab has a board of it. */
export function emulationChecks(lab: Lab, path = process.env['PATH'] ?? ''): Check[] {
  const used = new Set([...lab.boards.values()].map(board => board.arch))
  return ARCHES.flatMap(arch => {
    const needed = used.has(arch)
    return [
      {
        name: `QEMU for ${arch}`,
        needed,
        check: async () => obstacle(arch, path) ?? { ok: true, seen: await qemuVersion(arch) },
      },
      {
        name: `acceleration of ${arch}`,
        needed: false,
        check: async () => obstacle(arch, path) ?? speed(arch),
      },
    ]
  })
}

/** Why QEMU cannot even be asked. */
function obstacle(arch: Arch, path: string): Finding | undefined {
  const programs = { [qemuProgram(arch)]: qemuPackage(arch), setpriv: 'util-linux' }
  for (const [program, packageName] of Object.entries(programs)) {
    if (findProgram(program, path)) continue
    return { ok: false, seen: `${program} is not installed`, remedy: `sudo apt-get install ${packageName}` }
  }
  return undefined
}

async function speed(arch: Arch): Promise<Finding> {
  const { accelerator, reason } = await chooseAccelerator('auto', arch)
  const seen = `${accelerator}: ${reason}`
  if (accelerator === 'kvm' || arch !== OWN) return { ok: true, seen }
  return {
    ok: false,
    seen,
    remedy: 'none is needed: boots take several times longer; allow more with --boot-timeout if they fail',
  }
}
