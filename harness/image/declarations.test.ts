import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '../fault/fault.js'
import { listImages, loadImage } from './declarations.js'
import { FakePackages } from './fake-packages.js'

function faultOf(edit: (text: string) => string): Fault {
  using fake = new FakePackages()
  fake.write('image.yaml', edit(readFileSync(join(fake.imageFolder, 'image.yaml'), 'utf8')))
  try {
    loadImage(fake.root, 'fake')
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no fault')
}

test('images are listed with what they are built for', () => {
  using fake = new FakePackages()
  const [image, ...others] = listImages(fake.root)
  assert.deepEqual(others, [])
  assert.equal(image?.name, 'fake')
  assert.deepEqual(image.architectures, ['x86-64'])
  assert.deepEqual(image.boardClasses, ['board'])
  assert.deepEqual(image.features, ['xen'])
})

test('a wrong key names file, line and field', () => {
  const fault = faultOf(text => text.replace('guestOverlay:', 'guestOverlaj:'))
  assert.match(fault.message, /image\.yaml:11:1: guestOverlaj: unknown key/)
})

test('a wrong type of guest names its line and what is allowed', () => {
  const fault = faultOf(text => text.replace('type: pv', 'type: hvm'))
  assert.match(fault.where ?? '', /image\.yaml:18:\d+: xen\.guests\.0\.type/)
  assert.equal(fault.expected, 'one of: pv, pvh')
})

test('two guests of one name, and an unknown backend, are refused', () => {
  const twice = faultOf(text => text + text.split('\n').find(line => line.includes('alpha'))! + '\n')
  assert.match(twice.where ?? '', /xen\.guests\.1\.name/)
  const backend = faultOf(text => text.replace('debian-extract', 'debian-extracd'))
  assert.match(backend.where ?? '', /: backend$/)
})

test('a declaration without an architecture is refused', () => {
  const fault = faultOf(text => text.replace(/architectures:\n.*\n/, 'architectures: {}\n'))
  assert.equal(fault.expected, 'at least one architecture')
})
