import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MIB } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import { MANIFEST_SCHEMA, type Guest, type Manifest } from './manifest.js'
import { checkMemory, memoryNeeded } from './preflight.js'

function guest(name: string, memory: number, autostart: boolean): Guest {
  const config = `/etc/xen/${name}.cfg`
  return { name, type: 'pv', memory: memory * MIB, vcpus: 1, autostart, config, console: { shell: true } }
}

function host(dom0Memory: number | undefined, guests: Guest[]): Manifest {
  return {
    schema: MANIFEST_SCHEMA,
    image: 'host',
    arch: 'x86-64',
    key: 'sha256:0',
    boardClasses: ['board'],
    inputs: [],
    artefacts: [],
    boot: { method: 'kernel', kernel: 'kernel', append: '', disks: [] },
    console: {},
    features: ['xen'],
    xen: { version: '4.17', ...(dom0Memory !== undefined && { dom0Memory: dom0Memory * MIB }), guests },
  }
}

test('Dom0, automatic guests and guests of tests are summed; guests that nobody starts are not', () => {
  const manifest = host(384, [guest('a', 128, true), guest('b', 128, true), guest('huge', 4096, false)])
  const names = memoryNeeded(manifest, 256 * MIB).map(({ what }) => what)
  assert.deepEqual(names, [
    'Xen itself',
    'Dom0',
    'guest a, started automatically',
    'guest b, started automatically',
    'guests that tests create',
  ])
  checkMemory(manifest, 256 * MIB, { name: 'board', memory: 1024 * MIB })
})

test('what does not fit is a fault that lists the sum', () => {
  const manifest = host(768, [guest('a', 512, true)])
  assert.throws(
    () => checkMemory(manifest, 0, { name: 'small', memory: 1024 * MIB }),
    (fault: unknown) => {
      assert.ok(fault instanceof Fault)
      assert.equal(fault.code, 'image.memory.short')
      assert.match(fault.seen, /small has 1G/)
      assert.deepEqual(fault.evidence, [
        '     64M  Xen itself',
        '    768M  Dom0',
        '    520M  guest a, started automatically',
      ])
      return true
    },
  )
})

test('without a cap for Dom0, or without Xen, there is nothing to sum', () => {
  assert.deepEqual(memoryNeeded(host(undefined, [guest('a', 512, true)]), 0), [])
  const { xen: _, ...plain } = host(384, [])
  assert.deepEqual(memoryNeeded(plain, 512 * MIB), [])
})
