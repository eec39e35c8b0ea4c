import { z } from 'zod'
import type { Backend } from './backend.js'
import type { CommonDeclaration } from './declaration.js'
import { debianExtract } from './debian/extract.js'
import { debianMmdebstrap } from './debian/mmdebstrap.js'

/** Any image.yaml: which fields it has follows from its `backend`. */
export const anyDeclaration = z.discriminatedUnion('backend', [debianExtract.schema, debianMmdebstrap.schema])

/** Every way to build an image. */
const BACKENDS = [debianExtract, debianMmdebstrap] as const

export function backendOf({ backend }: CommonDeclaration): Backend {
  // Each backend builds only declarations of its own shape, which the schema has checked.
  return BACKENDS.find(({ name }) => name === backend) as unknown as Backend
}
