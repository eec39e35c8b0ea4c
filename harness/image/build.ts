import { mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from './artefacts.js'
import type { Built, ImageRequest, Input } from './backend.js'
import { backendOf } from './backends.js'
import { loadImage } from './declarations.js'
import { loadDefect, promised, spoiled, tamperingOf } from './defect.js'
import { guestOn } from './declaration.js'
import { codeDigest, fileDigest, fileInputs, sha256 } from './key.js'
import { lock } from '../process/lock.js'
import { MANIFEST_SCHEMA, type Arch, type Manifest } from './manifest.js'
import { Resolutions } from './resolution.js'
import { SBOM, sbomOf } from './sbom.js'
import { ImageStore } from './store.js'

export interface BuildOptions {
  /** Folder with `images/`. */
  root: string
  name: string
  arch: Arch
  /** A seeded defect of the image. */
  variant?: string
  /** Where all that is kept lies; else BOOTWRIGHT_CACHE, else `.cache` below the root. */
  cacheFolder?: string
  /** Called when work is done; never when the image comes from the cache. */
  onProgress?: (event: { step: string }) => void
  signal?: AbortSignal
  /** Look up the newest packages and build anew. */
  force?: boolean
}

/**
 * An image, from the cache or built. Two that want the same image at once build it once.
 *
 * @throws Fault `usage.image.unknown`, `usage.defect.unknown`, `usage.image.arch`, `declare.*`, `image.*`; the
 *   signal's reason when aborted: nothing half-built stays behind
 */
export async function buildImage(options: BuildOptions): Promise<Artefacts> {
  const work = prepare(options)
  const cached = options.force ? undefined : find(work)
  if (cached) return cached
  const waiting = () => work.request.step('waiting for another build of the same image')
  await using _ = await lock(join(work.store.folder, `${work.lockName}.lock`), work.request.signal, waiting)
  work.store.sweep()
  try {
    const inputs = await resolve(work, options.force ?? false)
    const entry = work.entry(inputs)
    return (!options.force && work.store.find(entry)) || (await make(work, inputs, entry))
  } catch (error) {
    throw isDiskFull(error) ? diskFull(work.store.folder, error) : error
  }
}

/** The image, if it is in the cache and not to be looked up anew. @throws as {@link buildImage} for what is declared wrongly */
export function cachedImage(options: BuildOptions): Artefacts | undefined {
  return find(prepare(options))
}

type Work = ReturnType<typeof prepare>

/** Where what is made once and used again lies, unless a build is told otherwise. */
export function cacheFolder(root: string): string {
  return process.env['BOOTWRIGHT_CACHE'] ?? join(root, '.cache')
}

function find({ resolutions, question, store, entry }: Work): Artefacts | undefined {
  const known = resolutions.fresh(question)
  return known && store.find(entry(known))
}

function prepare({ root, name, arch, variant, cacheFolder: given, onProgress, signal }: BuildOptions) {
  const image = loadImage(root, name)
  if (!image.architectures.includes(arch)) throw notFor(name, arch, image.architectures)
  const defect = variant === undefined ? undefined : loadDefect(image.folder, variant)
  if (defect?.architectures && !defect.architectures.includes(arch)) {
    throw notFor(`${name} with the defect ${defect.name}`, arch, defect.architectures)
  }
  const declaration = defect ? spoiled(image.declared, defect) : image.declared
  const backend = backendOf(declaration)
  const cache = given ?? cacheFolder(root)
  const request: ImageRequest = {
    image: name,
    arch,
    declaration,
    folder: image.folder,
    cache: join(cache, 'builder'),
    signal: signal ?? new AbortController().signal,
    step: step => onProgress?.({ step }),
  }
  const files = fileInputs(image.folder, ['image.yaml', ...backend.files(declaration)])
  const fixed = [MANIFEST_SCHEMA, arch, image.declared, defect?.text ?? '', files, codeDigest(backend.module)]
  const keyOf = (inputs: readonly Input[]) => sha256(JSON.stringify([...fixed, inputs]))
  return {
    image,
    defect,
    backend,
    request,
    files,
    keyOf,
    entry: (inputs: readonly Input[]) => `${name}-${arch}-${keyOf(inputs).slice(0, 12)}`,
    lockName: `${name}-${arch}`,
    store: new ImageStore(join(cache, 'images')),
    resolutions: new Resolutions(join(cache, 'images', 'resolutions')),
    question: [backend.name, arch, backend.wants(declaration, arch)],
  }
}

async function resolve({ resolutions, question, backend, request }: Work, force: boolean): Promise<Input[]> {
  const known = force ? undefined : resolutions.fresh(question)
  if (known) return known
  try {
    const inputs = await backend.resolve(request)
    resolutions.remember(question, inputs)
    return inputs
  } catch (error) {
    const old = resolutions.any(question)
    if (!old || force || request.signal.aborted) throw error
    request.step('the archive cannot be reached: using the packages of the last build')
    return old
  }
}

async function make(work: Work, inputs: Input[], entry: string): Promise<Artefacts> {
  const { store, backend, request, defect } = work
  const partial = await store.begin(entry)
  try {
    const [scratch, output] = [join(partial, 'scratch'), join(partial, 'output')]
    await mkdir(scratch)
    await mkdir(output)
    const built = await backend.build({ ...request, inputs, tampering: tamperingOf(defect), scratch, output })
    request.signal.throwIfAborted()
    const manifest = promised(await describe(work, inputs, built, output), defect)
    await writeFile(join(output, SBOM), `${JSON.stringify(sbomOf(manifest), undefined, 2)}\n`)
    await writeFile(join(output, 'manifest.json'), `${JSON.stringify(manifest, undefined, 2)}\n`)
    await store.commit(output, entry)
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
  const found = store.find(entry)
  if (!found) throw new Error(`${entry} was built but is not sound`)
  return found
}

/** What was declared, not what was built: with a defect the two differ, and that is what the defect is for. */
async function describe(work: Work, inputs: Input[], built: Built, output: string): Promise<Manifest> {
  const { image, request, files } = work
  const { xen, console, features, architectures } = image.declared
  const artefacts = await Promise.all(
    (await readdir(output)).sort().map(async file => {
      const path = join(output, file)
      return { file, size: (await stat(path)).size, sha256: await fileDigest(path) }
    }),
  )
  return {
    schema: MANIFEST_SCHEMA,
    image: image.name,
    arch: request.arch,
    key: `sha256:${work.keyOf(inputs)}`,
    boardClasses: architectures[request.arch]!.boardClasses,
    inputs: [...inputs, ...files, ...(built.tools ?? []).map(tool => ({ kind: 'tool' as const, ...tool }))],
    artefacts,
    boot: built.boot,
    console,
    features,
    ...(xen && {
      xen: {
        version: xen.version,
        ...(xen.dom0.memory !== undefined && { dom0Memory: xen.dom0.memory }),
        ...(xen.dom0.vcpus !== undefined && { dom0Vcpus: xen.dom0.vcpus }),
        guests: xen.guests.map(guest => guestOn(request.arch, guest)),
      },
    }),
  }
}

function notFor(what: string, arch: Arch, there: readonly Arch[]): Fault {
  return new Fault({
    code: 'usage.image.arch',
    culprit: 'usage',
    expected: `one of: ${there.join(', ')}`,
    seen: `${what} is not declared for ${arch}`,
    next: 'choose another architecture, or add it to the declaration',
  })
}

/** Programs that ran out of space say so in words only. */
function isDiskFull(error: unknown): boolean {
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return true
  return error instanceof Fault && (error.evidence ?? []).some(line => /no space left on device/i.test(line))
}

function diskFull(folder: string, cause: unknown): Fault {
  return new Fault({
    code: 'image.disk.full',
    culprit: 'lab',
    expected: 'space on the disk for the image and the packages it is made of',
    seen: `the disk that holds ${folder} is full`,
    next: 'free space, or set BOOTWRIGHT_CACHE to a folder on another disk',
    cause,
  })
}
