import type { z } from 'zod'
import type { CommonDeclaration } from './declaration.js'
import type { Arch, BootRecipe, Manifest } from './manifest.js'

export type Input = Manifest['inputs'][number]

/** What a backend gets to know about one build. */
export interface ImageRequest<D extends CommonDeclaration = CommonDeclaration> {
  image: string
  arch: Arch
  /** As declared; for a variant already changed as its defect says. */
  declaration: D
  /** The image's own folder, `images/<name>`. */
  folder: string
  /** Kept between builds of all images: downloads, extracted packages. Each backend makes a subfolder of its own. */
  cache: string
  signal: AbortSignal
  /** Tells what is being done now: `downloading linux-image-...`. */
  step(what: string): void
}

export interface BuildRequest<D extends CommonDeclaration = CommonDeclaration> extends ImageRequest<D> {
  /** What `resolve` answered, now or in an earlier run. */
  inputs: readonly Input[]
  /** What a seeded defect changes in the finished file system. Empty for the image itself. */
  tampering: Tampering
  /** Empty folder for everything temporary; removed by the caller. */
  scratch: string
  /** Empty folder for the artefacts; the caller writes the manifest. */
  output: string
}

/** Changes to a file system after all else is in it; paths are absolute on the device. */
export interface Tampering {
  /** Paths that are taken away; a folder with all that is in it. */
  remove: readonly string[]
  /** Files written (mode 0755 where they begin with `#!`, else 0644), by path. */
  files: Readonly<Record<string, string>>
  /** The same for the file systems of guests, by guest. */
  guestFiles: Readonly<Record<string, Readonly<Record<string, string>>>>
}

export interface Built {
  /** Files are relative to `output`. Every file in `output` becomes an artefact of the manifest. */
  boot: BootRecipe
  /** Programs of the host that shaped the bytes. */
  tools?: readonly { name: string; version: string }[]
}

/**
 * One way to build images. A backend is one module that exports one of these, listed in backends.ts.
 *
 * Equal inputs must give equal bytes. A backend needs no clean-up: `scratch` and `output` are removed for it, and what
 * it keeps in `cache` it must write so that an interrupted write is never mistaken for a finished one.
 */
export interface Backend<D extends CommonDeclaration = CommonDeclaration> {
  /** Value of `backend:` in image.yaml. */
  readonly name: string
  /** Shape of image.yaml: `imageFields`, `backend`, `architectures`, and the backend's own fields; strict. */
  readonly schema: z.ZodType<D>
  /** The backend's `import.meta.url`. The module and all it imports from the builder are part of the image's key. */
  readonly module: string
  /** Files of the image's folder that go into it, relative to the folder; folders stand for all that is in them. */
  files(declaration: D): readonly string[]
  /** What `resolve` depends on, as JSON: as long as it is the same, an earlier answer is used. */
  wants(declaration: D, arch: Arch): unknown
  /**
   * Finds out what exactly goes in, down to version and digest. The only step that asks the network for names.
   *
   * @throws Fault `image.packages.*`
   */
  resolve(request: ImageRequest<D>): Promise<Input[]>
  /** Makes the artefacts; may download what `inputs` names. @throws Fault `image.*`; the signal's reason when aborted */
  build(request: BuildRequest<D>): Promise<Built>
}
