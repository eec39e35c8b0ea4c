import { readdirSync, readFileSync } from 'node:fs'
import { chmod, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { z } from 'zod'
import { size } from '../../declare/size.js'
import { run } from '../../process/run.js'
import { accessKey } from '../access-key.js'
import type { Backend, Built, BuildRequest, ImageRequest } from '../backend.js'
import { cpio } from '../cpio.js'
import { architectureFields, architectures, imageFields } from '../declaration.js'
import type { Arch } from '../manifest.js'
import { FileTree } from '../tree.js'
import { Apt, type PackageInput } from './apt.js'
import { busyboxSystem, guestFields, installGuests, writeFiles } from './guests.js'
import { hypervisor, kernelOf, realKernel } from './kernels.js'
import { debianBase } from './mmdebstrap-base.js'
import { writeDisk } from './mmdebstrap-disk.js'
import { moduleClosure } from './modules.js'
import { unpackAll } from './unpack.js'

const pattern = z.string().startsWith('/', 'a pattern of absolute paths on the device')

const schema = z.strictObject({
  ...imageFields,
  backend: z.literal('debian-mmdebstrap'),
  /** Debian release: `bookworm`. */
  suite: z.string(),
  /** Packages to install in Dom0, beside the essential ones and what all of them depend on. */
  packages: z.array(z.string()),
  /** Modules of Dom0's kernel that are on its disk, with what they depend on; no others are. */
  modules: z.array(z.string()),
  /** Those that the initial RAM file system loads, to get at the disk. */
  initrdModules: z.array(z.string()),
  /** What is not kept of the packages; `*` stands for slashes too. */
  leaveOut: z.array(pattern).default([]),
  /** Users who log in on the console without a password. */
  passwordless: z.array(z.string().regex(/^[a-z_][a-z0-9_-]*$/, 'a name of a user')).default([]),
  /** Units of systemd that shall never start. */
  mask: z.array(z.string()).default([]),
  /** Size of the root file system. */
  disk: size,
  /** Folder laid over Dom0's file system. */
  overlay: z.string(),
  /** Folder laid over the busybox system that mounts Dom0's disk. */
  initrdOverlay: z.string(),
  /** Folder laid over the file system of each guest. */
  guestOverlay: z.string(),
  /** File that gets the public key for logging in by SSH; the private one becomes the artefact `access-key`. */
  authorizedKeys: pattern.optional(),
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
  ).refine(known => !known.arm64, { message: 'x86-64 only: packages are configured by running them' }),
})
type MmdebstrapDeclaration = z.infer<typeof schema>

const BUSYBOX = 'busybox-static'

/** Newer than any file of the release's packages need be; all that we write is as old as this. */
const EPOCH = Date.UTC(2025, 0, 1) / 1000

/** A Debian system with systemd as Xen's Dom0, on a disk; what it is made of is installed as on any Debian. */
export const debianMmdebstrap = {
  name: 'debian-mmdebstrap',
  schema,
  module: import.meta.url,
  files: ({ overlay, initrdOverlay, guestOverlay }: MmdebstrapDeclaration) => [
    overlay,
    initrdOverlay,
    guestOverlay,
  ],
  wants: (declaration: MmdebstrapDeclaration, arch: Arch) => ({
    suite: declaration.suite,
    packages: declaration.packages,
    unpacked: unpackedOf(declaration, arch),
  }),
  resolve,
  build,
} satisfies Backend<MmdebstrapDeclaration>

/** Packages of which only files are used. */
function unpackedOf(declaration: MmdebstrapDeclaration, arch: Arch): string[] {
  const { hypervisor: xen, kernel, guestKernel } = declaration.architectures[arch]!
  return [xen, BUSYBOX, kernel, guestKernel]
}

async function resolve({ declaration, arch, cache, signal, step }: ImageRequest<MmdebstrapDeclaration>) {
  step('reading the lists of Debian packages')
  const apt = await Apt.open(cache, declaration.suite, arch, signal)
  await apt.update()
  const unpacked = await Promise.all(unpackedOf(declaration, arch).map(name => realKernel(apt, name)))
  const installed = await apt.closure(['?essential', 'apt', ...declaration.packages])
  const others = await apt.locate(unpacked)
  const names = new Set(others.map(({ name }) => name))
  return [...installed.filter(({ name }) => !names.has(name)), ...others].map(({ uri: _, ...input }) => input)
}

async function build(request: BuildRequest<MmdebstrapDeclaration>): Promise<Built> {
  const { declaration, arch, cache, folder, tampering, scratch, output, signal, step } = request
  const target = declaration.architectures[arch]!
  const { installed, unpacked } = parted(request)
  const { suite, passwordless } = declaration
  const base = await debianBase({ ...request, suite, passwordless, packages: installed, epoch: EPOCH })
  const folderOf = await unpackAll(unpacked, { ...request, suite })
  step('putting the file systems together')
  const kernel = await kernelOf(folderOf, unpacked, target.kernel, signal)
  const guestKernel = await kernelOf(folderOf, unpacked, target.guestKernel, signal)
  const busybox = readFileSync(join(folderOf.get(BUSYBOX)!, 'bin/busybox'))
  const modules = new KernelModules(kernel.folder)

  const overlay = new FileTree().overlay(join(folder, declaration.overlay))
  modules.install(overlay, declaration.modules)
  for (const unit of declaration.mask) overlay.link(`/etc/systemd/system/${unit}`, '/dev/null')
  installGuests(overlay, {
    guests: declaration.xen?.guests ?? [],
    arch,
    kernel: guestKernel.image,
    kernelArgs: target.guestKernelArgs,
    settings: target.guestSettings,
    busybox,
    overlay: join(folder, declaration.guestOverlay),
    guestFiles: tampering.guestFiles,
  })
  if (declaration.authorizedKeys) {
    const key = await accessKey(cache, signal)
    overlay.file(declaration.authorizedKeys, `${key.public}\n`)
    await writeFile(join(output, 'access-key'), key.private)
    await chmod(join(output, 'access-key'), 0o600)
  }

  const initrd = busyboxSystem(new FileTree(), busybox).overlay(join(folder, declaration.initrdOverlay))
  modules.installInOrder(initrd, declaration.initrdModules)

  step('writing the disk')
  await writeDisk({
    base,
    leaveOut: declaration.leaveOut,
    overlay,
    kernelVersion: modules.version,
    remove: tampering.remove,
    tampered: writeFiles(new FileTree(), tampering.files),
    file: join(output, 'root.ext4'),
    size: declaration.disk,
    identity: request.image,
    epoch: EPOCH,
    scratch,
    signal,
  })
  await writeFile(join(output, 'hypervisor'), hypervisor(folderOf.get(target.hypervisor)!))
  await writeFile(join(output, 'kernel'), kernel.image)
  await writeFile(join(output, 'initrd'), cpio(initrd))
  return {
    boot: {
      method: 'xen',
      hypervisor: 'hypervisor',
      hypervisorArgs: target.hypervisorArgs,
      kernel: 'kernel',
      kernelArgs: target.kernelArgs,
      initrd: 'initrd',
      disks: [{ file: 'root.ext4', format: 'raw' }],
    },
    tools: [
      { name: 'mmdebstrap', version: await versionOf('mmdebstrap', '--version') },
      { name: 'mkfs.ext4', version: await versionOf('mkfs.ext4', '-V') },
    ],
  }
}

function parted({ declaration, arch, inputs }: BuildRequest<MmdebstrapDeclaration>) {
  const names = unpackedOf(declaration, arch)
  const packages = inputs.filter((input): input is PackageInput => input.kind === 'package')
  const isUnpacked = ({ name }: PackageInput) => names.includes(name) || name.startsWith('linux-image-')
  return {
    installed: packages.filter(input => !isUnpacked(input)),
    unpacked: packages.filter(isUnpacked),
  }
}

/** The modules in the unpacked package of a kernel. */
class KernelModules {
  readonly version: string
  private readonly root: string
  private readonly available: string[]

  constructor(folder: string) {
    this.version = readdirSync(join(folder, 'lib/modules'))[0]!
    this.root = join(folder, 'lib/modules', this.version)
    this.available = readdirSync(this.root, { recursive: true, encoding: 'utf8' })
      .filter(file => file.endsWith('.ko'))
      .map(file => join(this.root, file))
  }

  /** Where modprobe looks for them; still to be indexed. */
  install(tree: FileTree, wanted: readonly string[]): void {
    const lists = ['modules.order', 'modules.builtin', 'modules.builtin.modinfo'].map(name =>
      join(this.root, name),
    )
    for (const file of [...moduleClosure(wanted, this.available), ...lists]) {
      tree.file(`/usr/lib/modules/${this.version}/${relative(this.root, file)}`, readFileSync(file))
    }
  }

  /** For insmod: a list with each module after those that it needs. */
  installInOrder(tree: FileTree, wanted: readonly string[]): void {
    const ordered = moduleClosure(wanted, this.available)
    const paths = ordered.map(file => `/lib/modules/${relative(this.root, file)}`)
    ordered.forEach((file, index) => tree.file(paths[index]!, readFileSync(file)))
    tree.file('/lib/modules/load-order', paths.map(path => `${path}\n`).join(''))
  }
}

async function versionOf(program: string, option: string): Promise<string> {
  const { stdout, stderr } = await run(program, [option])
  return /\d+(\.\d+)+/.exec(`${stdout.toString()}${stderr}`)?.[0] ?? 'unknown'
}
