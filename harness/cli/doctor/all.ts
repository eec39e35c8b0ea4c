import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readLab } from '../../board/inventory.js'
import type { Check } from './check.js'
import { debianChecks } from './debian.js'
import { diskChecks } from './disk.js'
import { emulationChecks } from './emulation.js'
import { memoryChecks } from './memory.js'
import { permissionChecks } from './permissions.js'
import { toolChecks } from './tools.js'

/** Everything the doctor looks at. @throws Fault `usage.lab.unknown`, `declare.*` */
export function allChecks(root: string, labName: string): Check[] {
  const lab = readLab(root, labName)
  const where = { cache: process.env['BOOTWRIGHT_CACHE'] ?? join(root, '.cache'), temporary: tmpdir() }
  return [
    ...emulationChecks(lab),
    ...toolChecks(),
    ...debianChecks(),
    ...permissionChecks(where),
    ...memoryChecks(lab),
    ...diskChecks(where),
  ]
}
