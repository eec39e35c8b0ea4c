import type { StatsFs } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { formatSize } from '../../declare/size.js'
import type { Check, Finding } from './check.js'

/** Downloads, built images and their unpacked trees; the largest image of ours takes about 1 GiB to build. */
const CACHE_WANTED = 3 * 1024 ** 3
/** Overlays and snapshots of the boards of a run. */
const TEMPORARY_WANTED = 1024 ** 3

export function diskChecks(where: { cache: string; temporary: string }): Check[] {
  return [
    { name: 'disk space for images', needed: true, check: () => checkSpace(where.cache, CACHE_WANTED) },
    { name: 'disk space for runs', needed: true, check: () => checkSpace(where.temporary, TEMPORARY_WANTED) },
  ]
}

export async function checkSpace(folder: string, wanted: number): Promise<Finding> {
  const { bavail, bsize } = await statfsAbove(folder)
  const free = bavail * bsize
  const seen = `${formatSize(free)} free in ${folder}`
  if (free >= wanted) return { ok: true, seen }
  return {
    ok: false,
    seen: `${seen}, ${formatSize(wanted)} wanted`,
    remedy: 'make room, or point it elsewhere',
  }
}

/** Of the nearest folder that is there already. */
async function statfsAbove(folder: string): Promise<StatsFs> {
  try {
    return await statfs(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return statfsAbove(dirname(folder))
  }
}
