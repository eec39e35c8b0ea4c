import { z } from 'zod'
import { MIB } from '../declare/size.js'
import type { Guest } from './manifest.js'

/** Fields of an xl.cfg(5) that have no name here, as text or numbers. */
export const guestSettings = z.record(
  z.string().regex(/^[a-z][a-z0-9_]*$/, 'the name of a field'),
  z.union([z.number(), z.string().regex(/^[^"\n\\]*$/, 'no quotes, backslashes or newlines')]),
)
export type GuestSettings = z.infer<typeof guestSettings>

/** What a guest's configuration file says beyond what is promised; paths are on the device. */
export interface GuestConfig extends Pick<Guest, 'name' | 'type' | 'memory' | 'vcpus'> {
  disks?: readonly string[]
  vifs?: readonly string[]
  kernel?: string
  ramdisk?: string
  /** The guest kernel's command line. */
  extra?: string
  settings?: GuestSettings
}

/**
 * An xl.cfg(5). The fields that meta-virtualization's guest classes write come first and in the same order: tests
 * written against such files read these too.
 */
export function guestConfig(guest: GuestConfig): string {
  const lines: (string | undefined)[] = [
    `name = ${quoted(guest.name)}`,
    `memory = ${Math.floor(guest.memory / MIB)}`,
    `vcpus = ${guest.vcpus}`,
    list('disk', guest.disks),
    list('vif', guest.vifs),
    guest.kernel && `kernel = ${quoted(guest.kernel)}`,
    guest.extra && `extra = ${quoted(guest.extra)}`,
    guest.ramdisk && `ramdisk = ${quoted(guest.ramdisk)}`,
    `type = ${quoted(guest.type)}`,
    ...Object.entries(guest.settings ?? {}).map(
      ([name, value]) => `${name} = ${typeof value === 'number' ? value : quoted(value)}`,
    ),
  ]
  return lines.filter(line => line !== undefined).join('\n') + '\n'
}

function list(name: string, values: readonly string[] | undefined): string | undefined {
  return values?.length ? `${name} = [${values.map(value => `'${value}'`).join(', ')}]` : undefined
}

function quoted(value: string): string {
  return `"${value}"`
}
