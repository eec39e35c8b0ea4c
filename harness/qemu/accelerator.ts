import { accessSync, constants } from 'node:fs'
import { rm } from 'node:fs/promises'
import { arch as hostArch } from 'node:os'
import { Fault } from '../fault/fault.js'
import { qemuVersion } from './binary.js'
import type { Machine } from './machine.js'
import { probe, type ProbeKernel } from './probe.js'
import { cachedProbe, cacheFolder } from './probe-cache.js'
import { makeScratch } from './scratch.js'

export interface Acceleration {
  accelerator: Machine['accelerator']
  /** Why this one: a sentence for a person. */
  reason: string
}

export interface AcceleratorOptions {
  /** Booted too, after the tiny guest: what matters in the end is whether the image itself runs. */
  probeKernel?: ProbeKernel | undefined
  /** Where answers are kept; default `$XDG_CACHE_HOME/bootwright`. */
  cache?: string
}

/**
 * Decides how guests of `arch` are run. KVM can be there and hang every guest, so it is used only after a guest has
 * run under it; the answer is kept until the host boots anew or QEMU changes.
 *
 * @throws Fault `qemu.kvm.unusable` when KVM is wanted and cannot be had; `qemu.missing`
 */
export async function chooseAccelerator(
  wanted: 'auto' | 'kvm' | 'tcg',
  arch: Machine['arch'],
  options: AcceleratorOptions = {},
): Promise<Acceleration> {
  if (wanted === 'tcg') return { accelerator: 'tcg', reason: 'software emulation was asked for' }
  const { usable, reason } = await kvm(arch, options)
  if (usable) return { accelerator: 'kvm', reason }
  if (wanted === 'auto') return { accelerator: 'tcg', reason }
  throw new Fault({
    code: 'qemu.kvm.unusable',
    culprit: 'lab',
    expected: `KVM to run ${arch} guests on this host`,
    seen: reason,
    next: 'use --accel auto or --accel tcg (software emulation), or mend KVM: see bootwright doctor',
  })
}

async function kvm(arch: Machine['arch'], options: AcceleratorOptions) {
  const host = hostArch() === 'x64' ? 'x86-64' : hostArch()
  if (host !== arch) return { usable: false, reason: `KVM runs only guests of the host's own kind (${host})` }
  const obstacle = obstacleTo('/dev/kvm')
  if (obstacle) return { usable: false, reason: obstacle }
  const version = await qemuVersion(arch)
  const folder = options.cache ?? cacheFolder()
  const ask = (kernel?: ProbeKernel) =>
    cachedProbe(folder, arch, version, kernel?.kind ?? 'tiny', () => probeInScratch(arch, kernel))
  const tiny = await ask()
  return tiny.usable && options.probeKernel ? ask(options.probeKernel) : tiny
}

function obstacleTo(device: string): string | undefined {
  try {
    accessSync(device, constants.R_OK | constants.W_OK)
    return undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return `there is no ${device} on this host`
    return `${device} is closed to this user (join the group kvm)`
  }
}

async function probeInScratch(arch: Machine['arch'], kernel?: ProbeKernel) {
  const folder = await makeScratch()
  try {
    return await probe(arch, 'kvm', folder, kernel)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
