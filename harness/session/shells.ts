import { z } from 'zod'

/** Keys of the shells that are known to be on a device, to be resumed: its own, and those on its guests' consoles. */
export const shells = z.object({ own: z.string().optional(), guests: z.record(z.string(), z.string()) })
export type Shells = z.infer<typeof shells>

/** Shells, and the boot they belong to: they are gone with it. */
export interface KnownShells extends Shells {
  boot: number
}
