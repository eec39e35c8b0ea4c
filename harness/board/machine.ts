import { join } from 'node:path'
import { MIB } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from '../image/artefacts.js'
import type { BootRecipe, Manifest } from '../image/manifest.js'
import type { Boot, Firmware } from '../qemu/machine.js'
import type { ProbeKernel } from '../qemu/probe.js'

/** What the image's recipe says, with absolute paths and Xen's share for Dom0 filled in. */
export function bootOf({ folder, manifest }: Artefacts, firmware: Firmware | undefined): Boot {
  const recipe = manifest.boot
  switch (recipe.method) {
    case 'kernel':
      return {
        method: 'kernel',
        kernel: join(folder, recipe.kernel),
        initrd: recipe.initrd && join(folder, recipe.initrd),
        append: recipe.append,
      }
    case 'xen':
      return {
        method: 'xen',
        hypervisor: join(folder, recipe.hypervisor),
        hypervisorArgs: [recipe.hypervisorArgs, ...dom0Share(manifest, recipe.hypervisorArgs)]
          .join(' ')
          .trim(),
        kernel: join(folder, recipe.kernel),
        kernelArgs: recipe.kernelArgs,
        initrd: recipe.initrd && join(folder, recipe.initrd),
      }
    case 'disk':
      return { method: 'disk', firmware: firmware! }
  }
}

/** Without `max` a capped Dom0 still sizes its tables for all memory, and may balloon up to it. */
function dom0Share({ xen }: Manifest, declared: string): string[] {
  const share: string[] = []
  // What the image itself says stands: a seeded defect lets Dom0 have more than is promised.
  if (xen?.dom0Memory !== undefined && !declared.includes('dom0_mem=')) {
    const memory = `${Math.floor(xen.dom0Memory / MIB)}M`
    share.push(`dom0_mem=${memory},max:${memory}`)
  }
  if (xen?.dom0Vcpus !== undefined) share.push(`dom0_max_vcpus=${xen.dom0Vcpus}`)
  return share
}

export function firmwareKind(recipe: BootRecipe): Firmware['kind'] | undefined {
  return recipe.method === 'disk' ? recipe.firmware : undefined
}

export function disksOf({ folder, manifest }: Artefacts) {
  return manifest.boot.disks.map(disk => ({ file: join(folder, disk.file), format: disk.format }))
}

export function wantsNetwork({ features }: Manifest): boolean {
  return features.includes('network') || features.includes('ssh')
}

/** @throws Fault `board.image.arch` when the image is built for another processor */
export function checkArch(board: string, arch: string, manifest: Manifest): void {
  if (arch === manifest.arch) return
  throw new Fault({
    code: 'board.image.arch',
    culprit: 'usage',
    expected: `an image for ${arch}, which is what board ${board} is`,
    seen: `image ${manifest.image} is built for ${manifest.arch}`,
    next: 'choose another board or image: bootwright list',
  })
}

/** What of the image can show whether an accelerator runs it. */
export function probeKernelOf({ folder, manifest: { boot } }: Artefacts): ProbeKernel | undefined {
  switch (boot.method) {
    case 'kernel':
      return { kind: 'linux', file: join(folder, boot.kernel) }
    case 'xen':
      return { kind: 'xen', file: join(folder, boot.hypervisor) }
    case 'disk':
      return undefined
  }
}
