import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import { buildImage, type BuildOptions } from './build.js'
import { FakePackages } from './fake-packages.js'

function optionsFor(fake: FakePackages, steps: string[] = []): BuildOptions {
  return {
    root: fake.root,
    cacheFolder: fake.cacheFolder,
    name: 'fake',
    arch: 'x86-64',
    onProgress: ({ step }) => void steps.push(step),
  }
}

async function members(initrd: string): Promise<string[]> {
  const { stdout } = await run('busybox', ['cpio', '-it'], { input: readFileSync(initrd) })
  return stdout.toString().trimEnd().split('\n')
}

function entries(fake: FakePackages): string[] {
  return readdirSync(join(fake.cacheFolder, 'images')).filter(
    name => name.startsWith('fake-') && !name.endsWith('.lock'),
  )
}

test('an image is built with a manifest that names all that went in and came out', async () => {
  using fake = new FakePackages()
  const { folder, manifest } = await buildImage(optionsFor(fake))
  assert.match(folder, /fake-x86-64-[0-9a-f]{12}$/)
  assert.deepEqual(
    manifest.inputs.map(input => (input.kind === 'file' ? input.path : input.name)),
    ['busybox-static', 'xen', 'linux-image-fake', 'dom0/init', 'guest/init', 'image.yaml'],
  )
  assert.deepEqual(
    manifest.artefacts.map(({ file }) => file),
    ['hypervisor', 'initrd', 'kernel'],
  )
  assert.equal(manifest.xen?.dom0Memory, 384 * 1024 ** 2)
  assert.equal(manifest.xen.guests[0]?.config, '/etc/xen/alpha.cfg')
  const names = await members(join(folder, 'initrd'))
  for (const name of ['init', 'bin/sh', 'etc/xen/alpha.cfg', 'etc/xen/auto/alpha.cfg', 'dev/console']) {
    assert.ok(names.includes(name), `${name} in ${names.join(' ')}`)
  }
})

test('a second build is the first one, without work; a changed file makes another', async () => {
  using fake = new FakePackages()
  const first = await buildImage(optionsFor(fake))
  const steps: string[] = []
  const second = await buildImage(optionsFor(fake, steps))
  assert.equal(second.folder, first.folder)
  assert.deepEqual(steps, [])
  fake.write('dom0/init', '#!/bin/sh\ntrue\n', 0o755)
  const third = await buildImage(optionsFor(fake, steps))
  assert.notEqual(third.folder, first.folder)
  assert.notEqual(steps.length, 0)
})

test('equal inputs are equal bytes, in whatever folder', async () => {
  using one = new FakePackages()
  using other = new FakePackages()
  const [a, b] = [await buildImage(optionsFor(one)), await buildImage(optionsFor(other))]
  assert.deepEqual(a.manifest, b.manifest)
})

test('a damaged image is built again', async () => {
  using fake = new FakePackages()
  const { folder } = await buildImage(optionsFor(fake))
  writeFileSync(join(folder, 'initrd'), 'short')
  const { manifest } = await buildImage(optionsFor(fake))
  assert.equal(
    readFileSync(join(folder, 'initrd')).length,
    manifest.artefacts.find(({ file }) => file === 'initrd')?.size,
  )
})

test('two that want the same image at once build it once', async () => {
  using fake = new FakePackages()
  const steps: string[] = []
  const built = await Promise.all([1, 2, 3].map(() => buildImage(optionsFor(fake, steps))))
  assert.equal(new Set(built.map(({ folder }) => folder)).size, 1)
  assert.equal(steps.filter(step => step === 'writing the artefacts').length, 1, steps.join('; '))
})

test('an aborted build leaves nothing, and the next one builds', async () => {
  using fake = new FakePackages()
  const controller = new AbortController()
  const stop = new Error('enough')
  const options = { ...optionsFor(fake), signal: controller.signal, onProgress: () => controller.abort(stop) }
  await assert.rejects(buildImage(options), stop)
  assert.deepEqual(entries(fake), [])
  await buildImage(optionsFor(fake))
})

test('what a killed build left is swept away by the next; what nobody used for long, too', async () => {
  using fake = new FakePackages()
  const images = join(fake.cacheFolder, 'images')
  // No process has this number: it is above the kernel's limit.
  mkdirSync(join(images, 'fake-x86-64-0123456789ab.4999999-1.partial', 'output'), { recursive: true })
  const { folder } = await buildImage(optionsFor(fake))
  assert.equal(entries(fake).length, 1)
  utimesSync(folder, new Date(0), new Date(0))
  fake.write('dom0/etc/other', '')
  const other = await buildImage(optionsFor(fake))
  assert.ok(!existsSync(folder))
  assert.ok(existsSync(other.folder))
})

test('a variant has its defect, and promises what the image promises', async () => {
  using fake = new FakePackages()
  const sound = await buildImage(optionsFor(fake))
  const notStarted = await buildImage({ ...optionsFor(fake), variant: 'not-started' })
  const small = await buildImage({ ...optionsFor(fake), variant: 'small' })
  assert.ok(!(await members(join(notStarted.folder, 'initrd'))).includes('etc/xen/auto/alpha.cfg'))
  assert.deepEqual(small.manifest.xen, sound.manifest.xen)
  assert.match(readFileSync(join(small.folder, 'initrd'), 'latin1'), /memory = 64\n/)
  assert.equal(new Set([sound, notStarted, small].map(({ folder }) => folder)).size, 3)
})

test('a defect that changes nothing is refused', async () => {
  using fake = new FakePackages()
  fake.write(
    'defects/void.yaml',
    'defect: a\ncaughtBy: { suite: s, test: t }\nchange: { remove: [/no/such] }\n',
  )
  await assert.rejects(buildImage({ ...optionsFor(fake), variant: 'void' }), { code: 'image.defect.void' })
})

test('unknown images, defects and architectures are named, with what there is', async () => {
  using fake = new FakePackages()
  await assert.rejects(buildImage({ ...optionsFor(fake), name: 'fakw' }), (fault: unknown) => {
    assert.ok(fault instanceof Fault)
    assert.equal(fault.code, 'usage.image.unknown')
    assert.equal(fault.next, 'did you mean "fake"?')
    return true
  })
  await assert.rejects(buildImage({ ...optionsFor(fake), variant: 'smal' }), { code: 'usage.defect.unknown' })
  await assert.rejects(buildImage({ ...optionsFor(fake), arch: 'arm64' }), { code: 'usage.image.arch' })
})

test('a full disk is said to be one', async () => {
  using fake = new FakePackages()
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  const options: BuildOptions = {
    ...optionsFor(fake),
    onProgress: () => {
      throw full
    },
  }
  await assert.rejects(buildImage(options), { code: 'image.disk.full', culprit: 'lab' })
})
