import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { Fault } from '../../fault/fault.js'
import { withoutCompression } from '../kernel.js'
import type { Apt, PackageInput } from './apt.js'

/** `linux-image-amd64` is empty and depends on the kernel of the day. */
export async function realKernel(apt: Apt, name: string): Promise<string> {
  return (await apt.dependencies(name)).find(other => other.startsWith('linux-image-')) ?? name
}

/** A kernel, decompressed, and the unpacked package it comes from. @throws Fault `image.kernel.*` */
export async function kernelOf(
  folderOf: ReadonlyMap<string, string>,
  packages: readonly PackageInput[],
  name: string,
  signal: AbortSignal,
): Promise<{ folder: string; image: Buffer }> {
  // linux-image-cloud-amd64 stands for linux-image-6.1.0-56-cloud-amd64.
  const flavour = name.replace(/^linux-image-/, '')
  const real = packages.find(
    input => input.name === name || new RegExp(`^linux-image-[0-9.-]+-${flavour}$`).test(input.name),
  )
  const folder = real && folderOf.get(real.name)
  const file = folder && readdirSync(join(folder, 'boot')).find(entry => entry.startsWith('vmlinuz-'))
  if (!file) {
    throw new Fault({
      code: 'image.kernel.missing',
      culprit: 'usage',
      expected: `a kernel in the package ${name}`,
      seen: `none of the packages has one: ${packages.map(input => input.name).join(', ')}`,
      next: 'name a package with a kernel, or a metapackage for one',
    })
  }
  // Kept beside the package: it takes as long as all the rest of a build.
  const kept = `${folder}.kernel`
  if (!existsSync(kept)) {
    await writeFile(
      `${kept}.${process.pid}`,
      await withoutCompression(readFileSync(join(folder, 'boot', file)), signal),
    )
    await rename(`${kept}.${process.pid}`, kept)
  }
  return { folder, image: readFileSync(kept) }
}

/** QEMU loads no compressed multiboot kernel. The arm64 package has no compressed one, and its EFI program is an Image too. */
export function hypervisor(folder: string): Buffer {
  const boot = join(folder, 'boot')
  const names = readdirSync(boot).filter(name => name.startsWith('xen-') && !name.endsWith('.config'))
  const name = names.find(candidate => candidate.endsWith('.gz')) ?? names[0]
  if (name === undefined) {
    throw new Fault({
      code: 'image.hypervisor.missing',
      culprit: 'usage',
      expected: 'a package with a hypervisor in /boot',
      seen: `${basename(folder)} has none`,
      next: 'correct "hypervisor" in image.yaml',
    })
  }
  const file = readFileSync(join(boot, name))
  return name.endsWith('.gz') ? gunzipSync(file) : file
}
