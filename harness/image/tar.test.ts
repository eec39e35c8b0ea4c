import assert from 'node:assert/strict'
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { runOrThrow } from '../process/run.js'
import { tar } from './tar.js'
import { FileTree } from './tree.js'

const EPOCH = 1_700_000_000
const DEEP = `/usr/lib/modules/6.1.0-56-amd64/kernel/${'drivers-with-long-names/'.repeat(4)}module.ko`

test('GNU tar reads what is written', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-tar-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'etc'), { mode: 0o700 })
  const tree = new FileTree()
    .file('/etc/hostname', 'dom0\n')
    .file('/usr/bin/run', '#!/bin/sh\n', 0o755)
    .file(DEEP, Buffer.alloc(1000, 7))
    .link('/etc/unit', '/dev/null')

  const arguments_ = ['-x', '-p', '-C', folder, '--no-overwrite-dir', '-f', '-']
  await runOrThrow('tar', arguments_, { input: tar(tree, EPOCH), code: 'x.y.z', expected: '', next: '' })

  assert.equal(readFileSync(join(folder, 'etc/hostname'), 'utf8'), 'dom0\n')
  assert.equal(lstatSync(join(folder, 'etc/hostname')).mtimeMs, EPOCH * 1000)
  assert.equal(lstatSync(join(folder, 'usr/bin/run')).mode & 0o777, 0o755)
  assert.deepEqual(readFileSync(join(folder, DEEP)), Buffer.alloc(1000, 7))
  assert.equal(readlinkSync(join(folder, 'etc/unit')), '/dev/null')
  assert.equal(lstatSync(join(folder, 'etc')).mode & 0o777, 0o700, 'a folder that is there is left as it is')
})

test('equal trees are equal bytes, whatever the order of their making', () => {
  const one = new FileTree().file('/a', '1').file('/b', '2')
  const other = new FileTree().file('/b', '2').file('/a', '1')
  assert.deepEqual(tar(one, EPOCH), tar(other, EPOCH))
})

test('a name that does not fit is refused', () => {
  assert.throws(() => tar(new FileTree().file(`/${'x'.repeat(101)}`, ''), EPOCH), /too long/)
})
