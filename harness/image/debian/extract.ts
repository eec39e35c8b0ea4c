import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { z } from 'zod'
import { Fault } from '../../fault/fault.js'
import type { Backend, Built, BuildRequest, ImageRequest } from '../backend.js'
import { installBusybox } from '../busybox.js'
import { cpio } from '../cpio.js'
import {
  architectureFields,
  architectures,
  guestOn,
  imageFields,
  type GuestDeclaration,
} from '../declaration.js'
import { guestConfig } from '../guest-config.js'
import { withoutCompression } from '../kernel.js'
import type { Arch } from '../manifest.js'
import { FileTree } from '../tree.js'
import { Apt, type PackageInput } from './apt.js'
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
  /** Command line of the guests' kernel; the guest's name is added as its host name. */
  guestKernelArgs: z.string(),
  architectures: architectures(
    z.strictObject({
      ...architectureFields,
      /** Package of the hypervisor. */
      hypervisor: z.string(),
      /** Packages of the kernels; of a metapackage, the kernel it stands for. */
      kernel: z.string(),
      guestKernel: z.string(),
    }),
  ),
})
type ExtractDeclaration = z.infer<typeof schema>

const TRIPLET: Record<Arch, string> = { 'x86-64': 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' }
const GUEST_IMAGES = '/var/lib/xen/images'

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

/** `linux-image-amd64` is empty and depends on the kernel of the day. */
async function realKernel(apt: Apt, name: string): Promise<string> {
  return (await apt.dependencies(name)).find(other => other.startsWith('linux-image-')) ?? name
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
  base(tree, files)
  files.install(tree, declaration.programs, declaration.libraries)
  tree.overlay(join(request.folder, declaration.overlay))
  modules(tree, kernel.folder, declaration.modules)
  guests(tree, files, guestKernel.image, request)
  for (const path of tampering.remove) {
    if (!tree.remove(path)) throw nothingToRemove(path)
  }
  write(tree, tampering.files)

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

function base(tree: FileTree, files: PackageFiles): void {
  installBusybox(tree, files.read('/bin/busybox')!)
  for (const folder of ['/dev', '/proc', '/sys', '/run', '/root', '/var/log', '/etc']) tree.folder(folder)
  tree.folder('/tmp', 0o1777)
  tree.link('/var/run', '/run').link('/var/lock', '/run/lock')
  // The kernel opens it for the first program, before anything is mounted.
  tree.device('/dev/console', 0o600, 'char', 5, 1)
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

function guests(
  tree: FileTree,
  files: PackageFiles,
  kernel: Buffer,
  { declaration, arch, folder, tampering }: BuildRequest<ExtractDeclaration>,
): void {
  const declared = declaration.xen?.guests ?? []
  if (declared.length === 0) return
  const fileSystem = () => {
    const guest = new FileTree()
    base(guest, files)
    return guest.overlay(join(folder, declaration.guestOverlay))
  }
  tree.file(`${GUEST_IMAGES}/kernel`, kernel)
  tree.file(`${GUEST_IMAGES}/guest.cpio`, cpio(fileSystem()))
  for (const guest of declared) {
    const own = tampering.guestFiles[guest.name]
    if (own) tree.file(`${GUEST_IMAGES}/${guest.name}.cpio`, cpio(write(fileSystem(), own)))
    const ramdisk = `${GUEST_IMAGES}/${own ? guest.name : 'guest'}.cpio`
    configure(tree, guest, arch, ramdisk, declaration.guestKernelArgs)
  }
}

function configure(tree: FileTree, guest: GuestDeclaration, arch: Arch, ramdisk: string, args: string): void {
  const promised = guestOn(arch, guest)
  const kernel = `${GUEST_IMAGES}/kernel`
  tree.file(
    promised.config,
    guestConfig({ ...promised, kernel, ramdisk, extra: `${args} hostname=${guest.name}` }),
  )
  if (guest.autostart) tree.link(`/etc/xen/auto/${guest.name}.cfg`, promised.config)
}

function write(tree: FileTree, files: Readonly<Record<string, string>>): FileTree {
  for (const [path, text] of Object.entries(files))
    tree.file(path, text, text.startsWith('#!') ? 0o755 : 0o644)
  return tree
}

async function kernelOf(
  folderOf: ReadonlyMap<string, string>,
  packages: readonly PackageInput[],
  name: string,
  signal: AbortSignal,
): Promise<{ folder: string; image: Buffer }> {
  // linux-image-cloud-amd64 stands for linux-image-6.1.0-56-cloud-amd64.
  const flavour = name.replace(/^linux-image-/, '')
  const real = packages.find(
    input => input.name === name || new RegExp(`^linux-image-[0-9.-]+-${flavour}$`).test(input.name),
  )
  const folder = real && folderOf.get(real.name)
  const file = folder && readdirSync(join(folder, 'boot')).find(entry => entry.startsWith('vmlinuz-'))
  if (!file) {
    throw new Fault({
      code: 'image.kernel.missing',
      culprit: 'usage',
      expected: `a kernel in the package ${name}`,
      seen: `none of the packages has one: ${packages.map(input => input.name).join(', ')}`,
      next: 'name a package with a kernel, or a metapackage for one',
    })
  }
  // Kept beside the package: it takes as long as all the rest of a build.
  const kept = `${folder}.kernel`
  if (!existsSync(kept)) {
    await writeFile(
      `${kept}.${process.pid}`,
      await withoutCompression(readFileSync(join(folder, 'boot', file)), signal),
    )
    await rename(`${kept}.${process.pid}`, kept)
  }
  return { folder, image: readFileSync(kept) }
}

/** QEMU loads no compressed multiboot kernel. The arm64 package has no compressed one, and its EFI program is an Image too. */
function hypervisor(folder: string): Buffer {
  const boot = join(folder, 'boot')
  const names = readdirSync(boot).filter(name => name.startsWith('xen-') && !name.endsWith('.config'))
  const name = names.find(candidate => candidate.endsWith('.gz')) ?? names[0]
  if (name === undefined) {
    throw new Fault({
      code: 'image.hypervisor.missing',
      culprit: 'usage',
      expected: 'a package with a hypervisor in /boot',
      seen: `${basename(folder)} has none`,
      next: 'correct "hypervisor" in image.yaml',
    })
  }
  const file = readFileSync(join(boot, name))
  return name.endsWith('.gz') ? gunzipSync(file) : file
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
