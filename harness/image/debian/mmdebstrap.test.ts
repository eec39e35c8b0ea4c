import assert from 'node:assert/strict'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { parseDeclaration, readDeclaration } from '../../declare/declaration.js'
import { Fault } from '../../fault/fault.js'
import { MIB } from '../../declare/size.js'
import { loadImage } from '../declarations.js'
import { defectNames, loadDefect, spoiled } from '../defect.js'
import { uuid } from './mmdebstrap-disk.js'
import { stanza } from './mmdebstrap-repository.js'
import { debianMmdebstrap } from './mmdebstrap.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const folder = join(root, 'images/xen-dom0')
const declared = () => readDeclaration(join(folder, 'image.yaml'), debianMmdebstrap.schema)

test('xen-dom0 is declared as this backend wants it, and its guests fit beside Dom0 but for the hungry one', () => {
  const { xen, disk, features } = declared()
  assert.deepEqual(features.filter(name => ['systemd', 'xendomains', 'ssh', 'rtc'].includes(name)).sort(), [
    'rtc',
    'ssh',
    'systemd',
    'xendomains',
  ])
  assert.ok(disk < 519 * MIB)
  const left = 1024 * MIB - xen!.dom0.memory!
  const automatic = xen!.guests.filter(guest => guest.autostart)
  assert.deepEqual(
    automatic.map(({ name }) => name),
    ['alpha'],
  )
  assert.ok(xen!.guests.find(({ name }) => name === 'hungry')!.memory > left)
  assert.ok(automatic.reduce((sum, { memory }) => sum + memory, 0) < left / 2)
})

test('each seeded defect can be read, and names guests that there are', () => {
  const image = loadImage(root, 'xen-dom0')
  assert.deepEqual(defectNames(folder), [
    'failed-unit',
    'guest-not-started',
    'guests-not-stopped-at-shutdown',
    'xendomains-disabled',
  ])
  for (const name of defectNames(folder)) spoiled(image.declared, loadDefect(folder, name))
})

test('what is resolved anew follows packages and kernels, not what is laid over them', () => {
  const image = declared()
  const before = JSON.stringify(debianMmdebstrap.wants(image, 'x86-64'))
  assert.equal(JSON.stringify(debianMmdebstrap.wants({ ...image, mask: [], disk: 1 }, 'x86-64')), before)
  const more = { ...image, packages: [...image.packages, 'tzdata'] }
  assert.notEqual(JSON.stringify(debianMmdebstrap.wants(more, 'x86-64')), before)
})

test('arm64, patterns that are not absolute, and names that are none are refused', () => {
  const target = '{ boardClasses: [a], hypervisor: h, kernel: k, guestKernel: g, guestKernelArgs: x }'
  const text = (changes: string) => `
backend: debian-mmdebstrap
description: d
suite: bookworm
packages: []
modules: []
initrdModules: []
disk: 1M
overlay: a
initrdOverlay: b
guestOverlay: c
console: {}
features: []
${changes}
`
  const parse = (changes: string) => parseDeclaration(text(changes), 'image.yaml', debianMmdebstrap.schema)
  parse(`architectures: { x86-64: ${target} }`)
  for (const [changes, expected] of [
    [`architectures: { arm64: ${target} }`, /x86-64 only/],
    [`architectures: { x86-64: ${target} }\nleaveOut: [usr/share]`, /absolute/],
    [`architectures: { x86-64: ${target} }\npasswordless: ['root; reboot']`, /name of a user/],
  ] as const) {
    assert.throws(
      () => parse(changes),
      (error: unknown) => error instanceof Fault && expected.test(error.expected),
    )
  }
})

test('an entry of the local repository is the control file with where and what the package is', () => {
  const control = 'Package: a\nVersion: 1\nDescription: short\n long\n'
  assert.equal(
    stanza(control, '0.deb', 7, 'ab'),
    'Package: a\nVersion: 1\nDescription: short\n long\nFilename: ./0.deb\nSize: 7\nSHA256: ab\n',
  )
})

test('a UUID follows from its name', () => {
  assert.match(uuid('a'), /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(uuid('a'), uuid('a'))
  assert.notEqual(uuid('a'), uuid('b'))
})
