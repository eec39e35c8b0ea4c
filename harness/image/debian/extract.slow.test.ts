import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../../process/run.js'
import { buildImage } from '../build.js'
import { defectNames, loadDefect } from '../defect.js'
import { loadImage } from '../declarations.js'

const root = join(import.meta.dirname, '../../../..')
const NAME = 'xen-dom0-tiny'

/** A cache that shares downloads and unpacked packages with the real one, but no built image. */
function cacheBeside(): string {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-cache-'))
  const builder = join(process.env['BOOTWRIGHT_CACHE'] ?? join(root, '.cache'), 'builder')
  mkdirSync(builder, { recursive: true })
  symlinkSync(builder, join(folder, 'builder'))
  return folder
}

for (const arch of ['x86-64', 'arm64'] as const) {
  test(`${NAME} for ${arch}: twice the same bytes, with all that xl needs`, async () => {
    const caches = [cacheBeside(), cacheBeside()]
    try {
      const first = await buildImage({ root, name: NAME, arch, cacheFolder: caches[0]! })
      const second = await buildImage({ root, name: NAME, arch, cacheFolder: caches[1]! })
      assert.deepEqual(second.manifest, first.manifest)
      const input = readFileSync(join(first.folder, 'initrd'))
      const { stdout } = await run('busybox', ['cpio', '-it'], { input })
      const names = stdout.toString().split('\n')
      for (const name of [
        'usr/lib/xen-4.17/bin/xl',
        'lib/modules/xenfs.ko',
        'etc/xen/auto/alpha.cfg',
        'bin/cksum',
      ]) {
        assert.ok(names.includes(name), `${name} is missing`)
      }
      assert.ok(names.some(name => name.endsWith('/libgcc_s.so.1')))
    } finally {
      for (const folder of caches) rmSync(folder, { recursive: true })
    }
  })
}

test('every seeded defect can be built, and is another image with the same promise but where it says otherwise', async () => {
  const cacheFolder = cacheBeside()
  try {
    const { folder } = loadImage(root, NAME)
    const sound = await buildImage({ root, name: NAME, arch: 'x86-64', cacheFolder })
    for (const variant of defectNames(folder)) {
      const built = await buildImage({ root, name: NAME, arch: 'x86-64', cacheFolder, variant })
      assert.notEqual(built.manifest.key, sound.manifest.key, variant)
      if (loadDefect(folder, variant).change.promise) continue
      assert.deepEqual(built.manifest.xen, sound.manifest.xen, variant)
      const same = JSON.stringify([built.manifest.artefacts, built.manifest.boot])
      assert.notEqual(
        same,
        JSON.stringify([sound.manifest.artefacts, sound.manifest.boot]),
        `${variant} changes nothing`,
      )
      rmSync(built.folder, { recursive: true })
    }
  } finally {
    rmSync(cacheFolder, { recursive: true })
  }
})
