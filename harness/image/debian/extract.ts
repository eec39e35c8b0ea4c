import { readdirSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { Fault } from '../../fault/fault.js'
import type { Backend, Built, BuildRequest, ImageRequest } from '../backend.js'
import { cpio } from '../cpio.js'
import { architectureFields, architectures, imageFields } from '../declaration.js'
import type { Arch } from '../manifest.js'
import { FileTree } from '../tree.js'
import { Apt } from './apt.js'
import { busyboxSystem, guestFields, installGuests, writeFiles } from './guests.js'
import { hypervisor, kernelOf, realKernel } from './kernels.js'
import { moduleClosure } from './modules.js'
import { PackageFiles } from './programs.js'
import { unpackAll } from './unpack.js'

const schema = z.strictObject({
  ...imageFields,
  backend: z.literal('debian-extract'),
  /** Debian release: `bookworm`. */
  suite: z.string(),
  /** Packages whose files may be used. What they depend on is not added. */
  packages: z.array(z.string()),
  /** Programs, by their path in the packages; the libraries they need come with them. */
  programs: z.array(z.string()),
  /** Libraries that programs open by name at run time. */
  libraries: z.array(z.string()).default([]),
  /** Modules of Dom0's kernel, loaded at boot with what they depend on. */
  modules: z.array(z.string()),
  /** Folder laid over Dom0's file system. */
  overlay: z.string(),
  /** Folder laid over the file system of each guest. */
  guestOverlay: z.string(),
  architectures: architectures(
    z.strictObject({
      ...architectureFields,
      /** Package of the hypervisor. */
      hypervisor: z.string(),
      /** Packages of the kernels; of a metapackage, the kernel it stands for. */
      kernel: z.string(),
      guestKernel: z.string(),
      ...guestFields,
    }),
  ),
})
type ExtractDeclaration = z.infer<typeof schema>

const TRIPLET: Record<Arch, string> = { 'x86-64': 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }

/**
 * Small images without root and without installing anything: files of Debian packages and an overlay, in one initial
 * RAM file system. Made for Xen with a busybox Dom0.
 */
export const debianExtract = {
  name: 'debian-extract',
  schema,
  module: import.meta.url,
  files: ({ overlay, guestOverlay }: ExtractDeclaration) => [overlay, guestOverlay],
  wants: (declaration: ExtractDeclaration, arch: Arch) => ({
    suite: declaration.suite,
    packages: packagesOf(declaration, arch),
    kernels: kernelsOf(declaration, arch),
  }),
  resolve,
  build,
} satisfies Backend<ExtractDeclaration>

function packagesOf(declaration: ExtractDeclaration, arch: Arch): string[] {
  return [target(declaration, arch).hypervisor, ...declaration.packages]
}

function kernelsOf(declaration: ExtractDeclaration, arch: Arch): string[] {
  const { kernel, guestKernel } = target(declaration, arch)
  return [kernel, guestKernel]
}

function target(declaration: ExtractDeclaration, arch: Arch) {
  return declaration.architectures[arch]!
}

async function resolve({ declaration, arch, cache, signal, step }: ImageRequest<ExtractDeclaration>) {
  step('reading the lists of Debian packages')
  const apt = await Apt.open(cache, declaration.suite, arch, signal)
  await apt.update()
  const kernels = await Promise.all(kernelsOf(declaration, arch).map(name => realKernel(apt, name)))
  const found = await apt.locate([...packagesOf(declaration, arch), ...new Set(kernels)])
  return found.map(({ uri: _, ...input }) => input)
}

async function build(request: BuildRequest<ExtractDeclaration>): Promise<Built> {
  const { declaration, arch, signal, output, step, tampering } = request
  const packages = request.inputs.filter(input => input.kind === 'package')
  const folderOf = await unpackAll(packages, { ...request, suite: declaration.suite })
  step('putting the file systems together')
  const kernel = await kernelOf(folderOf, packages, target(declaration, arch).kernel, signal)
  const guestKernel = await kernelOf(folderOf, packages, target(declaration, arch).guestKernel, signal)
  const files = new PackageFiles([...folderOf.values()], TRIPLET[arch])

  const tree = new FileTree()
  const busybox = files.read('/bin/busybox')!
  busyboxSystem(tree, busybox)
  files.install(tree, declaration.programs, declaration.libraries)
  tree.overlay(join(request.folder, declaration.overlay))
  modules(tree, kernel.folder, declaration.modules)
  installGuests(tree, {
    guests: declaration.xen?.guests ?? [],
    arch,
    kernel: guestKernel.image,
    kernelArgs: target(declaration, arch).guestKernelArgs,
    settings: target(declaration, arch).guestSettings,
    busybox,
    overlay: join(request.folder, declaration.guestOverlay),
    guestFiles: tampering.guestFiles,
  })
  for (const path of tampering.remove) {
    if (!tree.remove(path)) throw nothingToRemove(path)
  }
  writeFiles(tree, tampering.files)

  signal.throwIfAborted()
  step('writing the artefacts')
  await writeFile(join(output, 'hypervisor'), hypervisor(folderOf.get(target(declaration, arch).hypervisor)!))
  await writeFile(join(output, 'kernel'), kernel.image)
  await writeFile(join(output, 'initrd'), cpio(tree))
  return {
    boot: {
      method: 'xen',
      hypervisor: 'hypervisor',
      hypervisorArgs: target(declaration, arch).hypervisorArgs,
      kernel: 'kernel',
      kernelArgs: target(declaration, arch).kernelArgs,
      initrd: 'initrd',
      disks: [],
    },
  }
}

function modules(tree: FileTree, kernelFolder: string, wanted: readonly string[]): void {
  const root = join(kernelFolder, 'lib/modules')
  const available = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(file =>
    file.endsWith('.ko'),
  )
  const ordered = moduleClosure(
    wanted,
    available.map(file => join(root, file)),
  )
  const paths = ordered.map(file => `/lib/modules/${basename(file)}`)
  ordered.forEach((file, index) => tree.file(paths[index]!, readFileSync(file)))
  tree.file('/lib/modules/load-order', paths.map(path => `${path}\n`).join(''))
}

function nothingToRemove(path: string): Fault {
  return new Fault({
    code: 'image.defect.void',
    culprit: 'usage',
    expected: `${path} in the image, for the defect to take away`,
    seen: 'there is no such path',
    next: 'correct the defect: as it is, it changes nothing',
  })
}
