import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { parseDeclaration } from '../declare/declaration.js'
import { Fault } from '../fault/fault.js'
import { unknownName } from '../fault/usage.js'
import type { Tampering } from './backend.js'
import { guestDeclaration, type CommonDeclaration } from './declaration.js'
import { arch, type Manifest } from './manifest.js'

const path = z.string().startsWith('/', 'an absolute path on the device')
const files = z.record(path, z.string())

/**
 * `images/<image>/defects/<defect>.yaml`: an image that is wrong in exactly one way. What is built changes, what the
 * manifest promises does not (but for `promise`): a suite that passes has not looked.
 */
const defect = z.strictObject({
  /** What is wrong, in a sentence. */
  defect: z.string(),
  /** The suite and its test that must fail, and how. Titles as in the suite. */
  caughtBy: z.strictObject({ suite: z.string(), test: z.string(), message: z.string().optional() }),
  /** Architectures it can be built for; all when not said. */
  architectures: z.array(arch).optional(),
  change: z.strictObject({
    /** Guests that are built otherwise than declared, by name. */
    guests: z.record(z.string(), guestDeclaration.omit({ name: true, console: true }).partial()).default({}),
    remove: z.array(path).default([]),
    files: files.default({}),
    guestFiles: z.record(z.string(), files).default({}),
    /** Arguments put behind those declared. */
    hypervisorArgs: z.string().optional(),
    kernelArgs: z.string().optional(),
    /** What the manifest promises although it is not so. */
    promise: z
      .strictObject({ xenVersion: z.string().optional(), features: z.array(z.string()).optional() })
      .optional(),
  }),
})

export interface Defect extends z.infer<typeof defect> {
  name: string
  /** The file as it is, for the digest. */
  text: string
}

/** Names of an image's seeded defects. */
export function defectNames(imageFolder: string): string[] {
  const folder = join(imageFolder, 'defects')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(file => file.endsWith('.yaml'))
    .map(file => file.slice(0, -'.yaml'.length))
    .sort()
}

/** @throws Fault `usage.defect.unknown`, `declare.*` */
export function loadDefect(imageFolder: string, name: string): Defect {
  const known = defectNames(imageFolder)
  if (!known.includes(name)) throw unknownName('defect', name, known)
  const file = join(imageFolder, 'defects', `${name}.yaml`)
  const text = readFileSync(file, 'utf8')
  return { ...parseDeclaration(text, file, defect), name, text }
}

/** The declaration to build in place of the declared one. @throws Fault `image.defect.guest` */
export function spoiled<D extends CommonDeclaration>(declaration: D, { change, name }: Defect): D {
  const spoilt = structuredClone(declaration)
  for (const [guestName, changes] of Object.entries(change.guests)) {
    const guest = spoilt.xen?.guests.find(candidate => candidate.name === guestName)
    if (!guest) {
      throw new Fault({
        code: 'image.defect.guest',
        culprit: 'usage',
        expected: `a guest "${guestName}", which the defect ${name} changes`,
        seen: `the image has: ${spoilt.xen?.guests.map(other => other.name).join(', ') ?? 'none'}`,
        next: 'correct the name in the defect',
      })
    }
    Object.assign(guest, changes)
  }
  for (const target of Object.values(spoilt.architectures)) {
    if (change.hypervisorArgs) target.hypervisorArgs += ` ${change.hypervisorArgs}`
    if (change.kernelArgs) target.kernelArgs += ` ${change.kernelArgs}`
  }
  return spoilt
}

export const UNTOUCHED: Tampering = { remove: [], files: {}, guestFiles: {} }

export function tamperingOf(defect: Defect | undefined): Tampering {
  return defect?.change ?? UNTOUCHED
}

/** The manifest with what the defect makes it promise. */
export function promised(manifest: Manifest, defect: Defect | undefined): Manifest {
  const { xenVersion, features } = defect?.change.promise ?? {}
  return {
    ...manifest,
    ...(features && { features: [...manifest.features, ...features] }),
    ...(manifest.xen && xenVersion !== undefined && { xen: { ...manifest.xen, version: xenVersion } }),
  }
}
