import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { makeScratch } from './scratch.js'

test('folders of the dead are swept, those of the living and what is not ours stay', async t => {
  const base = mkdtempSync(join(tmpdir(), 'bw-scratch-test-'))
  t.after(() => rmSync(base, { recursive: true }))
  const first = await makeScratch(base)
  assert.equal(statSync(first).mode & 0o777, 0o700)
  // Our own pid with another start time: a reused pid is not its owner.
  const dead = join(dirname(first), `qemu-${process.pid}-1-00000000`)
  const other = join(dirname(first), 'something-else')
  for (const folder of [dead, other]) mkdirSync(folder)
  const second = await makeScratch(base)
  assert.notEqual(second, first)
  assert.deepEqual([dead, other, first, second].map(existsSync), [false, true, true, true])
})

test('a base that cannot be used is a fault of the lab', async t => {
  const base = mkdtempSync(join(tmpdir(), 'bw-scratch-test-'))
  t.after(() => rmSync(base, { recursive: true }))
  const file = join(base, 'file')
  writeFileSync(file, '')
  await assert.rejects(
    makeScratch(file),
    (e: Fault) => e.code === 'qemu.scratch.unusable' && e.culprit === 'lab',
  )
})
