import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readDeclaration } from '../declare/declaration.js'
import { size } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import { unknownName } from '../fault/usage.js'
import { arch } from '../image/manifest.js'

const qemuBoard = z.strictObject({
  driver: z.literal('qemu'),
  /** What an image must be built for. */
  class: z.string(),
  arch,
  memory: size,
  cpus: z.number().int().min(1).max(64),
})

export const boardDeclaration = z.discriminatedUnion('driver', [qemuBoard])
/** A board as its lab file declares it; memory in bytes. */
export type BoardDeclaration = z.infer<typeof boardDeclaration>

const labFile = z.strictObject({
  boards: z.record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/), boardDeclaration),
})

export interface Lab {
  name: string
  file: string
  boards: ReadonlyMap<string, BoardDeclaration>
}

/** Reads `labs/<name>.yaml` below `root`. @throws Fault `usage.lab.unknown`, `declare.*` */
export function readLab(root: string, name: string): Lab {
  const known = readdirSync(join(root, 'labs'))
    .filter(file => file.endsWith('.yaml'))
    .map(file => file.slice(0, -'.yaml'.length))
  if (!known.includes(name)) throw unknownName('lab', name, known)
  const file = join(root, 'labs', `${name}.yaml`)
  const { boards } = readDeclaration(file, labFile)
  if (Object.keys(boards).length === 0) {
    throw new Fault({
      code: 'declare.lab.empty',
      culprit: 'usage',
      where: file,
      expected: 'at least one board',
      seen: 'the lab declares none',
      next: 'add a board under "boards:"',
    })
  }
  return { name, file, boards: new Map(Object.entries(boards)) }
}
