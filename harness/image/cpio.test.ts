import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { run } from '../process/run.js'
import { cpio } from './cpio.js'
import { FileTree } from './tree.js'

function sample(): FileTree {
  return new FileTree()
    .file('/etc/deep/note', 'grüezi\n')
    .file('/init', '#!/bin/sh\n', 0o755)
    .file('/empty', '')
    .folder('/tmp', 0o1777)
    .link('/bin', 'usr/bin')
    .device('/dev/console', 0o600, 'char', 5, 1)
}

test('busybox unpacks what was packed: contents, links, permissions', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'bootwright-cpio-'))
  try {
    const tree = sample()
    tree.remove('/dev')
    const unpacked = await run('busybox', ['cpio', '-id'], { cwd: folder, input: cpio(tree) })
    assert.equal(unpacked.code, 0, unpacked.stderr)
    assert.equal(readFileSync(join(folder, 'etc/deep/note'), 'utf8'), 'grüezi\n')
    assert.equal(readlinkSync(join(folder, 'bin')), 'usr/bin')
    assert.equal(statSync(join(folder, 'init')).mode & 0o7777, 0o755)
    assert.equal(statSync(join(folder, 'tmp')).mode & 0o7777, 0o1777)
    assert.equal(statSync(join(folder, 'empty')).size, 0)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('busybox lists all members in order, a device with its numbers', async () => {
  const { stdout } = await run('busybox', ['cpio', '-itv'], { input: cpio(sample()) })
  const lines = stdout.toString().trimEnd().split('\n')
  const names = [
    'bin -> usr/bin',
    'dev',
    'dev/console',
    'empty',
    'etc',
    'etc/deep',
    'etc/deep/note',
    'init',
    'tmp',
  ]
  assert.equal(lines.length, names.length, stdout.toString())
  names.forEach((name, index) =>
    assert.ok(lines[index]!.endsWith(` ${name}`), `${lines[index]} is not ${name}`),
  )
  assert.match(lines[2]!, /^crw-------/)
  // Not shown by every cpio: in a header of 13 numbers of 8 digits, the last but three and two are the device's.
  const archive = cpio(sample()).toString('latin1')
  const header = archive.slice(archive.indexOf('dev/console') - 104, archive.indexOf('dev/console'))
  assert.equal(header.slice(72, 88), '0000000500000001')
})

test('equal trees are equal bytes, in whatever order they were filled', () => {
  const other = new FileTree()
    .device('/dev/console', 0o600, 'char', 5, 1)
    .link('/bin', 'usr/bin')
    .folder('/tmp', 0o1777)
    .file('/empty', '')
    .file('/init', '#!/bin/sh\n', 0o755)
    .file('/etc/deep/note', 'grüezi\n')
  assert.ok(cpio(sample()).equals(cpio(other)))
})
