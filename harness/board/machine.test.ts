import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MANIFEST_SCHEMA, type Manifest } from '../image/manifest.js'
import { bootOf } from './machine.js'

const manifest: Manifest = {
  schema: MANIFEST_SCHEMA,
  image: 'x',
  arch: 'x86-64',
  key: 'sha256:0',
  boardClasses: [],
  inputs: [],
  artefacts: [],
  boot: {
    method: 'xen',
    hypervisor: 'xen',
    hypervisorArgs: 'console=com1',
    kernel: 'vmlinuz',
    kernelArgs: 'console=hvc0',
    disks: [],
  },
  console: {},
  features: [],
}

function hypervisorArgs(xen: Partial<NonNullable<Manifest['xen']>>): string {
  const boot = bootOf(
    { folder: '/i', manifest: { ...manifest, xen: { version: '4', guests: [], ...xen } } },
    undefined,
  )
  assert.ok(boot.method === 'xen')
  assert.equal(boot.kernel, '/i/vmlinuz')
  return boot.hypervisorArgs
}

test('Dom0 gets the share that the manifest declares', () => {
  assert.equal(
    hypervisorArgs({ dom0Memory: 384 * 1024 ** 2, dom0Vcpus: 1 }),
    'console=com1 dom0_mem=384M,max:384M dom0_max_vcpus=1',
  )
})

test('an undeclared share is no cap', () => {
  assert.equal(hypervisorArgs({}), 'console=com1')
})
