import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Input } from './backend.js'
import { debianExtract } from './debian/extract.js'
import { loadImage } from './declarations.js'
import { Resolutions } from './resolution.js'

const IMAGE = `
backend: debian-extract
description: made of fake packages
suite: bookworm
architectures:
  x86-64: { boardClasses: [board], hypervisor: xen, kernel: linux-image-fake, guestKernel: linux-image-fake, guestKernelArgs: quiet }
packages: [busybox-static]
programs: []
modules: []
overlay: dom0
guestOverlay: guest
console: { login: root }
features: [xen]
xen:
  version: '4.17'
  dom0: { memory: 384M }
  guests:
    - { name: alpha, type: pv, memory: 128M, vcpus: 1, autostart: true, console: { shell: true } }
`

const PACKAGES: Record<string, Record<string, string | Buffer>> = {
  'busybox-static': { '/bin/busybox': '\0[\0[[\0cat\0init\0sh\0\0' },
  xen: { '/boot/xen-1.gz': gzipSync('hypervisor') },
  'linux-image-fake': { '/boot/vmlinuz-1': 'a kernel', '/lib/modules/1/modules.order': '' },
}

/** For tests: a root with one image, and a cache in which its packages are unpacked already: no archive is needed. */
export class FakePackages implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'bootwright-image-'))
  readonly cacheFolder = join(this.root, 'cache')
  readonly imageFolder = join(this.root, 'images', 'fake')

  constructor() {
    this.write('image.yaml', IMAGE)
    this.write('dom0/init', '#!/bin/sh\n', 0o755)
    this.write('guest/init', '#!/bin/sh\n', 0o755)
    this.write('defects/not-started.yaml', defect('remove: [/etc/xen/auto/alpha.cfg]'))
    this.write('defects/small.yaml', defect('guests: { alpha: { memory: 64M } }'))
    const inputs = Object.entries(PACKAGES).map(([name, files]) => this.unpacked(name, files))
    const { declared } = loadImage(this.root, 'fake')
    const question = ['debian-extract', 'x86-64', debianExtract.wants(declared as never, 'x86-64')]
    new Resolutions(join(this.cacheFolder, 'images', 'resolutions')).remember(question, inputs)
  }

  /** A file of the image's folder. */
  write(path: string, text: string, mode = 0o644): void {
    const file = join(this.imageFolder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text, { mode })
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true })
  }

  private unpacked(name: string, files: Record<string, string | Buffer>): Input {
    const sha256 = Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)
    const folder = join(this.cacheFolder, 'builder', 'unpacked', `${name}_1_${sha256.slice(0, 12)}`)
    for (const [path, data] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), data)
    }
    return { kind: 'package', name, version: '1', arch: 'amd64', sha256 }
  }
}

function defect(change: string): string {
  return `defect: something\ncaughtBy: { suite: some, test: some test }\nchange:\n  ${change}\n`
}
