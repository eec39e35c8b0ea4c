import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { buildImage, cacheFolder, type BuildOptions } from './build.js'
import { differences, type Difference } from './difference.js'
import { fileDigest } from './key.js'
import type { Manifest } from './manifest.js'

export interface Verification {
  manifest: Manifest
  /** Artefacts that are not as their manifest says. */
  damaged: string[]
  /** What another build of the same inputs, in another place, has otherwise; empty: it is reproducible. */
  differences: Difference[]
}

/** Downloads, and lists of what there is to download. Everything that is made from them is made again. */
const SHARED = ['packages', 'apt', 'access']

/**
 * Looks whether an image is as its manifest says, and builds it again elsewhere from the same inputs to compare each byte.
 *
 * @param shared folders of the builder's cache that the second build uses too
 * @throws as {@link buildImage}
 */
export async function verifyImage(
  options: Omit<BuildOptions, 'force'>,
  shared: readonly string[] = SHARED,
): Promise<Verification> {
  const { folder, manifest } = await buildImage(options)
  const damaged: string[] = []
  for (const { file, sha256 } of manifest.artefacts) {
    if ((await fileDigest(join(folder, file))) !== sha256) damaged.push(file)
  }
  const cache = options.cacheFolder ?? cacheFolder(options.root)
  const elsewhere = await mkdtemp(join(cache, 'verify-'))
  try {
    await mkdir(join(elsewhere, 'builder'))
    await mkdir(join(elsewhere, 'images'))
    for (const name of shared) {
      await mkdir(join(cache, 'builder', name), { recursive: true })
      await symlink(join(cache, 'builder', name), join(elsewhere, 'builder', name))
    }
    await symlink(join(cache, 'images', 'resolutions'), join(elsewhere, 'images', 'resolutions'))
    const again = await buildImage({ ...options, cacheFolder: elsewhere })
    return { manifest, damaged, differences: differences(manifest, again.manifest) }
  } finally {
    await rm(elsewhere, { recursive: true, force: true })
  }
}
