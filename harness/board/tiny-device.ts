import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Artefacts } from '../image/artefacts.js'
import { MANIFEST_SCHEMA } from '../image/manifest.js'
import type { BoardDeclaration } from './inventory.js'

/**
 * A whole x86-64 device in a boot sector, for tests: it counts its boots in the first byte of sector 2, prints
 * "boot N", and then obeys single bytes from the serial port:
 * o power off, r reset, p report a panic (pvpanic), i ignore the power button from now on (echoed); others are echoed.
 * It powers off when the power button is pressed.
 */
const SECTOR =
  '31c08ed88ec08ed0bc007c' + // segments 0, stack below
  'bb007eb80102b9020030f6cd13fe07b80103b90200cd13' + // read sector 2 to 0x7e00, count, write it
  'fabe8b7ca0007e0006907cbaf803b90700f36e' + // no interrupts: SeaBIOS would take bytes; print "boot " and the count
  'ba0206b80001ef' + // PM1 enable: power button
  'ba0006edf6c401751fbafd03eca80174ef' + // wait for button (PM1 status) or byte
  'baf803ec3c6f740f3c7274143c7074183c69741ceeebd8' + // obey, or echo
  'ba0406b80020efebfe' + // PM1 control: S5
  'baf90cb006eeebfe' + // reset control register
  'ba0505b001eeebbf' + // pvpanic
  'ba020631c0efbaf803b069eeebb1' + // PM1 enable: nothing
  '626f6f7420300a'

/** The built image of a tiny device in a folder of its own below `base`. */
export function tinyDevice(base = tmpdir()): Artefacts & { disk: string } {
  const folder = mkdtempSync(join(base, 'tiny-device-'))
  const disk = Buffer.alloc(1024 ** 2)
  disk.write(SECTOR, 'hex')
  disk.writeUInt16LE(0xaa55, 510)
  writeFileSync(join(folder, 'disk.raw'), disk)
  return {
    folder,
    disk: join(folder, 'disk.raw'),
    manifest: {
      schema: MANIFEST_SCHEMA,
      image: 'tiny-device',
      arch: 'x86-64',
      key: 'sha256:0',
      boardClasses: ['qemu-x86-64'],
      inputs: [],
      artefacts: [],
      boot: { method: 'disk', firmware: 'bios', disks: [{ file: 'disk.raw', format: 'raw' }] },
      console: {},
      features: [],
    },
  }
}

export const tinyBoard: BoardDeclaration = {
  driver: 'qemu',
  class: 'qemu-x86-64',
  arch: 'x86-64',
  memory: 64 * 1024 ** 2,
  cpus: 1,
}
