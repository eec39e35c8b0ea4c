import { z } from 'zod'

/** Version of the manifest's layout. A manifest of another version is rebuilt, never guessed at. */
export const MANIFEST_SCHEMA = 'bootwright.manifest/1'

export const arch = z.enum(['x86-64', 'arm64'])
export type Arch = z.infer<typeof arch>

/** A disk of a board as the image delivers it; boards boot from a throw-away overlay over it. */
const disk = z.strictObject({ file: z.string(), format: z.enum(['raw', 'qcow2']) })

/** How an image is started. Files are relative to the artefact folder; sizes are bytes. */
export const bootRecipe = z.discriminatedUnion('method', [
  z.strictObject({
    method: z.literal('kernel'),
    kernel: z.string(),
    initrd: z.string().optional(),
    append: z.string(),
    disks: z.array(disk),
  }),
  z.strictObject({
    method: z.literal('xen'),
    hypervisor: z.string(),
    /** The board adds `dom0_mem` from what the manifest promises, unless it is here already. */
    hypervisorArgs: z.string(),
    kernel: z.string(),
    kernelArgs: z.string(),
    initrd: z.string().optional(),
    disks: z.array(disk),
  }),
  z.strictObject({
    method: z.literal('disk'),
    firmware: z.enum(['bios', 'uefi', 'u-boot']),
    disks: z.array(disk).min(1),
  }),
])
export type BootRecipe = z.infer<typeof bootRecipe>

export const guest = z.strictObject({
  /** Name in `xl list`. */
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, 'letters, digits, dot, underscore, hyphen'),
  type: z.enum(['pv', 'pvh', 'hvm']),
  /** Bytes. */
  memory: z.number().int().positive(),
  vcpus: z.number().int().positive(),
  autostart: z.boolean(),
  /** Configuration file on the device. */
  config: z.string(),
  /** Whether the guest offers a shell on its console, and the user to log in as (none: no login asked). */
  console: z.strictObject({ shell: z.boolean(), login: z.string().optional() }),
})
export type Guest = z.infer<typeof guest>

export const manifest = z.strictObject({
  schema: z.literal(MANIFEST_SCHEMA),
  image: z.string(),
  arch,
  /** Digest of every input, `sha256:...`: equal inputs, equal key. It is the name of the cache entry. */
  key: z.string(),
  /** Board classes the image is built for. */
  boardClasses: z.array(z.string()),
  /** What went in: packages with version and digest, and files of the declaration's folder. */
  inputs: z.array(
    z.discriminatedUnion('kind', [
      z.strictObject({
        kind: z.literal('package'),
        name: z.string(),
        version: z.string(),
        arch: z.string(),
        sha256: z.string(),
      }),
      z.strictObject({ kind: z.literal('file'), path: z.string(), sha256: z.string() }),
      z.strictObject({ kind: z.literal('tool'), name: z.string(), version: z.string() }),
    ]),
  ),
  /** What came out; `size` in bytes. */
  artefacts: z.array(z.strictObject({ file: z.string(), size: z.number(), sha256: z.string() })),
  boot: bootRecipe,
  /** How a shell is had on the console: the login to use, and text that shows it is there. */
  console: z.strictObject({
    /** User to log in as; absent when the console is a shell at once. */
    login: z.string().optional(),
    password: z.string().optional(),
  }),
  /**
   * What the image promises and suites may rely on (`systemd`, `xen`, `xendomains`, `ssh`, `network`, `rtc`, `vxn`,
   * `containerd`, `poweroff`, ...). A promised feature that the device lacks is a failure, never a skip.
   */
  features: z.array(z.string()),
  xen: z
    .strictObject({
      version: z.string(),
      /** Bytes; undefined when Dom0 is not capped. */
      dom0Memory: z.number().int().positive().optional(),
      dom0Vcpus: z.number().int().positive().optional(),
      guests: z.array(guest),
    })
    .optional(),
})
export type Manifest = z.infer<typeof manifest>
