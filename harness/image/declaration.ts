import { z } from 'zod'
import { size } from '../declare/size.js'
import { arch, guest, type Arch, type Guest } from './manifest.js'

/** A guest as a person declares it. Its configuration file on the device is /etc/xen/<name>.cfg. */
export const guestDeclaration = z.strictObject({
  name: guest.shape.name,
  /** arm64 knows one type only: there a `pv` guest is built as `pvh`. */
  type: z.enum(['pv', 'pvh']),
  memory: size,
  vcpus: z.number().int().positive(),
  autostart: z.boolean(),
  console: guest.shape.console,
})
export type GuestDeclaration = z.infer<typeof guestDeclaration>

const xen = z.strictObject({
  /** Version as `xl info` shows it, or the part of it that is promised: `4.17`. */
  version: z.string(),
  /** What Dom0 is capped to. The board's driver puts it on the hypervisor's command line. */
  dom0: z.strictObject({ memory: size.optional(), vcpus: z.number().int().positive().optional() }),
  guests: z.array(guestDeclaration).superRefine((guests, context) => {
    guests.forEach(({ name }, index) => {
      if (guests.findIndex(other => other.name === name) < index) {
        context.addIssue({
          code: 'custom',
          message: 'a name of its own for each guest',
          path: [index, 'name'],
        })
      }
    })
  }),
})

/** Fields that every image has for one architecture; a backend adds its own. */
export const architectureFields = {
  /** Board classes the image is built for. */
  boardClasses: z.array(z.string()).min(1),
  /** Arguments of the kernel that is started first: Dom0's under Xen. */
  kernelArgs: z.string().default(''),
  hypervisorArgs: z.string().default(''),
}

/** One block for each architecture an image can be built for; at least one. */
export function architectures<S extends z.ZodType>(fields: S) {
  return z
    .partialRecord(arch, fields)
    .refine(known => Object.keys(known).length > 0, { message: 'at least one architecture' })
}

/** Fields of every `images/<name>/image.yaml`, whatever builds it; a backend adds its own. */
export const imageFields = {
  description: z.string(),
  /** How a shell is had on the console: the user to log in as; nothing when the console is a shell at once. */
  console: z.strictObject({ login: z.string().optional(), password: z.string().optional() }),
  features: z.array(z.string()),
  xen: xen.optional(),
}

/** What is common to all declarations, for code that does not care for the backend. */
export interface CommonDeclaration {
  backend: string
  description: string
  console: { login?: string | undefined; password?: string | undefined }
  features: string[]
  xen?: z.infer<typeof xen> | undefined
  architectures: Partial<Record<Arch, { boardClasses: string[]; kernelArgs: string; hypervisorArgs: string }>>
}

/** A declared guest as it is built for, and promised on, one architecture. */
export function guestOn(target: Arch, declared: GuestDeclaration): Guest {
  return {
    ...declared,
    type: target === 'arm64' ? 'pvh' : declared.type,
    config: `/etc/xen/${declared.name}.cfg`,
  }
}
