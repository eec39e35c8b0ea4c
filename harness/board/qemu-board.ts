import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { formatSize } from '../declare/size.js'
import { chooseAccelerator, type Acceleration } from '../qemu/accelerator.js'
import { qemuVersion } from '../qemu/binary.js'
import { prepareFirmware } from '../qemu/firmware.js'
import type { Machine } from '../qemu/machine.js'
import { makeOverlays } from '../qemu/overlay.js'
import { makeScratch } from '../qemu/scratch.js'
import type { Board } from './board.js'
import { bootOf, checkArch, disksOf, firmwareKind, probeKernelOf, wantsNetwork } from './machine.js'
import type { OpenBoardOptions } from './open.js'
import { QemuPower } from './qemu-power.js'
import { QemuSnapshots, snapshotKey } from './qemu-snapshots.js'

interface Parts {
  options: OpenBoardOptions
  machine: Machine
  acceleration: Acceleration
  version: string
  /** Of the machine's own files. */
  folder: string
}

/** A device in QEMU. Its disks are throw-away overlays that live as long as the board does. */
export class QemuBoard implements Board {
  readonly name: string
  readonly power: QemuPower
  readonly snapshots: QemuSnapshots
  readonly whyNoSnapshots = undefined
  readonly #parts: Parts

  constructor(parts: Parts) {
    const { options, machine, version, folder } = parts
    this.name = options.name
    this.power = new QemuPower(machine, options.listener, options.scratch)
    this.#parts = parts
    this.snapshots = new QemuSnapshots({
      power: this.power,
      folder: join(folder, 'states'),
      store: options.snapshots,
      key: snapshotKey(options.artefacts.manifest, machine, version),
    })
  }

  async reflash(): Promise<void> {
    const { options, folder } = this.#parts
    await this.power.off()
    await makeFiles(options, folder)
  }

  describe(): Record<string, unknown> {
    const { acceleration, version, machine } = this.#parts
    const { arch, memory, cpus } = machine
    const { qemu, sshPort } = this.power
    return {
      driver: 'qemu',
      version,
      arch,
      memory: formatSize(memory),
      cpus,
      ...acceleration,
      ...(qemu && { pid: qemu.pid, commandLine: qemu.commandLine }),
      ...(sshPort !== undefined && { sshPort }),
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.power.dispose()
    } finally {
      await rm(this.#parts.folder, { recursive: true, force: true })
    }
  }
}

/**
 * Puts a QEMU board together, switched off.
 *
 * @throws Fault `qemu.missing`, `qemu.kvm.unusable`, `qemu.firmware.*`, `qemu.disk.*`, `board.image.arch`
 */
export async function openQemuBoard(options: OpenBoardOptions): Promise<QemuBoard> {
  const { name, declaration, artefacts } = options
  checkArch(name, declaration.arch, artefacts.manifest)
  const version = await qemuVersion(declaration.arch)
  const acceleration = await accelerate(options)
  const folder = await makeScratch(options.scratch)
  try {
    const { boot, disks } = await makeFiles(options, folder)
    const machine: Machine = {
      name,
      arch: declaration.arch,
      memory: declaration.memory,
      cpus: declaration.cpus,
      accelerator: acceleration.accelerator,
      boot,
      disks,
      network: wantsNetwork(artefacts.manifest),
    }
    return new QemuBoard({ options, machine, acceleration, version, folder })
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

/** What the machine starts from, as the image delivers it: disks and firmware variables of its own. */
async function makeFiles({ artefacts, declaration: { arch } }: OpenBoardOptions, folder: string) {
  const kind = firmwareKind(artefacts.manifest.boot)
  const firmware = kind && (await prepareFirmware(kind, arch, folder))
  return { boot: bootOf(artefacts, firmware), disks: await makeOverlays(disksOf(artefacts), folder) }
}

async function accelerate({
  declaration: { arch },
  accel,
  artefacts,
}: OpenBoardOptions): Promise<Acceleration> {
  if (arch === 'arm64' && artefacts.manifest.boot.method === 'xen' && accel === 'auto') {
    return {
      accelerator: 'tcg',
      reason: 'Xen on arm64 needs virtualisation extensions, which KVM does not give',
    }
  }
  return chooseAccelerator(accel, arch, { probeKernel: probeKernelOf(artefacts) })
}
