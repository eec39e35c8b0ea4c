import { access, constants, mkdir, mkdtemp, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { spawnSync } from 'node:child_process'
import type { Check, Finding } from './check.js'

export function permissionChecks(where: { cache: string; temporary: string }): Check[] {
  return [
    { name: '/dev/kvm', needed: false, check: () => checkKvmDevice() },
    { name: 'cache folder', needed: true, check: () => checkWritable(where.cache) },
    { name: 'temporary folder', needed: true, check: () => checkWritable(where.temporary) },
    { name: 'user namespaces', needed: false, check: () => checkUserNamespaces() },
  ]
}

export async function checkKvmDevice(device = '/dev/kvm'): Promise<Finding> {
  try {
    await access(device, constants.R_OK | constants.W_OK)
    return { ok: true, seen: 'can be opened' }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return {
        ok: false,
        seen: 'is not there: boards are emulated in software',
        remedy:
          'turn on virtualisation in the firmware, or nested virtualisation on the host; nothing needs it',
      }
    }
    return {
      ok: false,
      seen: 'may not be opened by this user',
      remedy: 'sudo usermod -aG kvm "$USER", then log in again',
    }
  }
}

/** Writes where the work will, rather than judging by mode bits: a read-only mount has good ones. */
export async function checkWritable(folder: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true })
    await rmdir(await mkdtemp(join(folder, '.doctor-')))
    return { ok: true, seen: folder }
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error'
    return {
      ok: false,
      seen: `${folder} cannot be written (${code})`,
      remedy: `sudo chown -R "$USER" ${code === 'ENOENT' || code === 'ENOTDIR' ? dirname(folder) : folder}`,
    }
  }
}

/** Root needs none; others build root file systems as root of a namespace of their own. */
export async function checkUserNamespaces(uid = process.getuid?.()): Promise<Finding> {
  if (uid === 0) return { ok: true, seen: 'not needed by root' }
  const { status, error, stderr } = spawnSync('unshare', ['--user', '--map-root-user', 'true'], {
    encoding: 'utf8',
  })
  if (status === 0) return { ok: true, seen: 'can be made' }
  return {
    ok: false,
    seen: `cannot be made (${(error?.message ?? stderr).trim()}): without them Debian root file systems are built as root only`,
    remedy:
      'sudo sysctl kernel.unprivileged_userns_clone=1 (Debian), kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu)',
  }
}
