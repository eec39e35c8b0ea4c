import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { buildImage } from './build.js'
import { FakePackages } from './fake-packages.js'
import { manifestOf } from './manifest-of.js'
import { SBOM } from './sbom.js'
import { verifyImage } from './verify.js'

function request({ root, cacheFolder }: FakePackages) {
  return { root, cacheFolder, name: 'fake', arch: 'x86-64' as const }
}

test('a built image has its bill of materials beside its manifest', async () => {
  using fake = new FakePackages()
  const { folder } = await buildImage(request(fake))
  const bill = JSON.parse(readFileSync(join(folder, SBOM), 'utf8')) as { components: { name: string }[] }
  const names = bill.components.map(({ name }) => name)
  for (const name of ['busybox-static', 'dom0/init']) assert.ok(names.includes(name), name)
})

/** There is no archive to fetch these packages from again. */
const UNPACKED = ['unpacked']

test('another build of the same inputs is the same, and nothing of it is left', async () => {
  using fake = new FakePackages()
  const { damaged, differences } = await verifyImage(request(fake), UNPACKED)
  assert.deepEqual([damaged, differences], [[], []])
  assert.deepEqual(
    readdirSync(fake.cacheFolder).filter(name => name.startsWith('verify-')),
    [],
  )
})

test('an artefact that has changed in the cache is named', async () => {
  using fake = new FakePackages()
  const { folder } = await buildImage(request(fake))
  const kernel = join(folder, 'kernel')
  // As long as it was: that it is damaged shows only in what it says.
  writeFileSync(kernel, 'x'.repeat(readFileSync(kernel).length))
  const { damaged, differences } = await verifyImage(request(fake), UNPACKED)
  assert.deepEqual([damaged, differences], [['kernel'], []])
})

test('a manifest is read from its file as well; what is none is refused', async () => {
  using fake = new FakePackages()
  const asked = { root: fake.root, arch: undefined }
  const { folder, manifest } = await buildImage(request(fake))
  assert.deepEqual(await manifestOf(join(folder, 'manifest.json'), asked), manifest)
  for (const file of [join(folder, SBOM), join(folder, 'none.json')]) {
    await assert.rejects(manifestOf(file, asked), { code: 'usage.manifest.unreadable' })
  }
})
