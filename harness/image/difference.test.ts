import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences } from './difference.js'
import { MANIFEST_SCHEMA, type Manifest } from './manifest.js'
import { sbomOf } from './sbom.js'

const digest = (letter: string) => letter.repeat(64)
const manifest = (over: Partial<Manifest> = {}): Manifest => ({
  schema: MANIFEST_SCHEMA,
  image: 'x',
  arch: 'arm64',
  key: 'sha256:1',
  boardClasses: ['c'],
  inputs: [
    { kind: 'package', name: 'libstdc++6', version: '1:12.2-3', arch: 'arm64', sha256: digest('a') },
    { kind: 'file', path: 'overlay/etc/motd', sha256: digest('b') },
    { kind: 'tool', name: 'mkfs.ext4', version: '1.47' },
  ],
  artefacts: [{ file: 'kernel', size: 9, sha256: digest('c') }],
  boot: { method: 'kernel', kernel: 'kernel', append: '', disks: [] },
  console: {},
  features: [],
  ...over,
})

test('equal images differ in nothing, whatever their keys', () => {
  assert.deepEqual(differences(manifest(), manifest({ key: 'sha256:2' })), [])
})

test('what is new, gone or another is told, each by its name', () => {
  const other = manifest({
    features: ['ssh'],
    inputs: [
      { kind: 'package', name: 'libstdc++6', version: '1:12.2-4', arch: 'arm64', sha256: digest('d') },
      { kind: 'file', path: 'overlay/etc/issue', sha256: digest('b') },
      { kind: 'tool', name: 'mkfs.ext4', version: '1.47' },
    ],
    artefacts: [{ file: 'kernel', size: 9, sha256: digest('e') }],
  })
  assert.deepEqual(
    differences(manifest(), other).map(({ kind, name, before, after }) => [kind, name, before, after]),
    [
      ['package', 'libstdc++6:arm64', '1:12.2-3', '1:12.2-4'],
      ['file', 'overlay/etc/motd', digest('b').slice(0, 12), undefined],
      ['artefact', 'kernel', `${'c'.repeat(12)}, 9 bytes`, `${'e'.repeat(12)}, 9 bytes`],
      ['declared', 'features', '[]', '["ssh"]'],
      ['file', 'overlay/etc/issue', undefined, digest('b').slice(0, 12)],
    ],
  )
})

test('the same version with other bytes is a difference', () => {
  const [changed] = manifest().inputs
  const inputs = [{ ...changed!, sha256: digest('f') }, ...manifest().inputs.slice(1)] as Manifest['inputs']
  assert.equal(differences(manifest(), manifest({ inputs })).length, 1)
})

test('a bill of materials names each package by its package URL, and is the same for the same image', () => {
  const bill = JSON.stringify(sbomOf(manifest()))
  assert.match(bill, /"purl":"pkg:deb\/debian\/libstdc%2B%2B6@1%3A12\.2-3\?arch=arm64"/)
  assert.match(bill, new RegExp(`"name":"kernel","hashes":\\[{"alg":"SHA-256","content":"${digest('c')}"`))
  assert.match(
    bill,
    /"serialNumber":"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"/,
  )
  assert.equal(JSON.stringify(sbomOf(manifest())), bill)
  assert.notEqual(JSON.stringify(sbomOf(manifest({ key: 'sha256:2' }))), bill)
})
