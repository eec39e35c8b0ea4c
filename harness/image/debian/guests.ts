import { z } from 'zod'
import type { Tampering } from '../backend.js'
import { installBusybox } from '../busybox.js'
import { cpio } from '../cpio.js'
import { guestOn, type GuestDeclaration } from '../declaration.js'
import { guestConfig, guestSettings, type GuestSettings } from '../guest-config.js'
import type { Arch } from '../manifest.js'
import { FileTree } from '../tree.js'

/** Where guests' kernel and file systems lie on the device. */
const GUEST_IMAGES = '/var/lib/xen/images'

/** What an image declares for the guests of one architecture. */
export const guestFields = {
  /** Command line of the guests' kernel; the guest's name is added as its host name. */
  guestKernelArgs: z.string(),
  /** Further fields of each guest's xl.cfg(5). */
  guestSettings: guestSettings.default({}),
}

export interface GuestsRequest {
  guests: readonly GuestDeclaration[]
  arch: Arch
  /** Of the guests' kernel, which all of them share. */
  kernel: Buffer
  /** Command line of that kernel; the guest's name is added as its host name. */
  kernelArgs: string
  settings: GuestSettings
  busybox: Buffer
  /** Folder of the host laid over the file system of each guest. */
  overlay: string
  guestFiles: Tampering['guestFiles']
}

/** Puts guests into Dom0's file system: kernel, file systems, configurations, and links for those started at boot. */
export function installGuests(tree: FileTree, request: GuestsRequest): void {
  const { guests, arch, kernel, kernelArgs, settings, guestFiles } = request
  if (guests.length === 0) return
  tree.file(`${GUEST_IMAGES}/kernel`, kernel)
  tree.file(`${GUEST_IMAGES}/guest.cpio`, cpio(fileSystem(request)))
  for (const guest of guests) {
    const own = guestFiles[guest.name]
    if (own) tree.file(`${GUEST_IMAGES}/${guest.name}.cpio`, cpio(writeFiles(fileSystem(request), own)))
    const promised = guestOn(arch, guest)
    const config = guestConfig({
      ...promised,
      kernel: `${GUEST_IMAGES}/kernel`,
      ramdisk: `${GUEST_IMAGES}/${own ? guest.name : 'guest'}.cpio`,
      extra: `${kernelArgs} hostname=${guest.name}`,
      settings,
    })
    tree.file(promised.config, config)
    if (guest.autostart) tree.link(`/etc/xen/auto/${guest.name}.cfg`, promised.config)
  }
}

function fileSystem({ busybox, overlay }: GuestsRequest): FileTree {
  return busyboxSystem(new FileTree(), busybox).overlay(overlay)
}

/** The folders every Linux program takes for granted, and busybox. */
export function busyboxSystem(tree: FileTree, busybox: Buffer): FileTree {
  installBusybox(tree, busybox)
  for (const folder of ['/dev', '/proc', '/sys', '/run', '/root', '/var/log', '/etc']) tree.folder(folder)
  tree.folder('/tmp', 0o1777)
  tree.link('/var/run', '/run').link('/var/lock', '/run/lock')
  // The kernel opens it for the first program, before anything is mounted.
  return tree.device('/dev/console', 0o600, 'char', 5, 1)
}

/** Text files by path; those that begin with `#!` may be run. */
export function writeFiles(tree: FileTree, files: Readonly<Record<string, string>>): FileTree {
  for (const [path, text] of Object.entries(files)) {
    tree.file(path, text, text.startsWith('#!') ? 0o755 : 0o644)
  }
  return tree
}
