import { copyFile } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import type { Firmware, Machine } from './machine.js'

const UEFI = {
  // The 4M flavour came with Debian 12 and Ubuntu 22.04; later releases have no other.
  'x86-64': {
    package: 'ovmf',
    files: [
      ['share/OVMF/OVMF_CODE_4M.fd', 'share/OVMF/OVMF_VARS_4M.fd'],
      ['share/OVMF/OVMF_CODE.fd', 'share/OVMF/OVMF_VARS.fd'],
    ],
  },
  arm64: {
    package: 'qemu-efi-aarch64',
    files: [['share/AAVMF/AAVMF_CODE.fd', 'share/AAVMF/AAVMF_VARS.fd']],
  },
} as const

const U_BOOT = {
  'x86-64': 'lib/u-boot/qemu-x86_64/u-boot.rom',
  arm64: 'lib/u-boot/qemu_arm64/u-boot.bin',
} as const

/**
 * Finds the firmware's files, which Debian's packages put below `prefix`, and gives the board its own UEFI variables
 * in `folder`.
 *
 * @throws Fault `qemu.firmware.missing` with the package; `qemu.firmware.unsupported` for a BIOS on arm64
 */
export async function prepareFirmware(
  kind: Firmware['kind'],
  arch: Machine['arch'],
  folder: string,
  prefix = '/usr',
): Promise<Firmware> {
  switch (kind) {
    case 'bios':
      if (arch === 'x86-64') return { kind }
      throw new Fault({
        code: 'qemu.firmware.unsupported',
        culprit: 'usage',
        expected: 'an arm64 image that boots by uefi or u-boot',
        seen: 'the image asks for a BIOS, which arm64 does not have',
        next: 'change the firmware in the image declaration',
      })
    case 'u-boot': {
      const file = join(prefix, U_BOOT[arch])
      if (!existsSync(file)) throw missing('U-Boot', 'u-boot-qemu', file)
      return { kind, file }
    }
    case 'uefi': {
      const choices = UEFI[arch].files.map(
        ([code, vars]) => [join(prefix, code), join(prefix, vars)] as const,
      )
      const found = choices.find(([code, vars]) => existsSync(code) && existsSync(vars))
      if (!found) throw missing('UEFI', UEFI[arch].package, choices[0]![0])
      const vars = join(folder, 'uefi-variables.fd')
      await copyFile(found[1], vars)
      return { kind, code: found[0], vars }
    }
  }
}

function missing(what: string, packageName: string, file: string): Fault {
  return new Fault({
    code: 'qemu.firmware.missing',
    culprit: 'lab',
    expected: `${what} firmware, e.g. ${file}`,
    seen: 'it is not installed',
    next: `apt-get install ${packageName}`,
  })
}
