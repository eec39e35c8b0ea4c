/** What a QEMU is to be; plain data, made by the board from its declaration and the image's manifest. */
export interface Machine {
  /** Shown in process lists; letters, digits, hyphens. */
  name: string
  arch: 'x86-64' | 'arm64'
  /** Bytes. */
  memory: number
  cpus: number
  accelerator: 'kvm' | 'tcg'
  boot: Boot
  /** Throw-away qcow2 files, in the order the guest sees them. */
  disks: readonly string[]
  /** A network card on QEMU's own user network; port 22 of the guest is reachable on a free port of 127.0.0.1. */
  network: boolean
}

/** How the machine starts; paths are absolute. */
export type Boot =
  | { method: 'kernel'; kernel: string; initrd?: string | undefined; append: string }
  | {
      method: 'xen'
      hypervisor: string
      hypervisorArgs: string
      kernel: string
      kernelArgs: string
      initrd?: string | undefined
    }
  | { method: 'disk'; firmware: Firmware }
  /** Nothing to run: the machine stays where its firmware leaves it. */
  | { method: 'none' }

/** `bios` is QEMU's own SeaBIOS. `vars` is this board's own writable copy of the UEFI variables. */
export type Firmware =
  { kind: 'bios' } | { kind: 'uefi'; code: string; vars: string } | { kind: 'u-boot'; file: string }

/** Files that the machine writes to, besides its memory. */
export function ownFiles({ disks, boot }: Machine): string[] {
  return boot.method === 'disk' && boot.firmware.kind === 'uefi' ? [...disks, boot.firmware.vars] : [...disks]
}
