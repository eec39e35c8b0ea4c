import assert from 'node:assert/strict'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { devicesOf, Journal, readJournal, type JournalEntry } from './journal.js'

const device = (console: string): JournalEntry => ({
  type: 'device',
  device: 'x@y',
  project: 'x@y',
  board: 'b',
  boardClass: 'y',
  console,
  facts: {},
})
const boot = (ordinal: number, cause: 'power-on' | 'reset'): JournalEntry => ({
  type: 'boot',
  device: 'x@y',
  ordinal,
  cause,
  at: ordinal,
  from: 10 * ordinal,
})

test('entries become devices with their boots, stages and findings', () => {
  const [first, ...others] = devicesOf([
    { type: 'note', text: 'n', at: 0 },
    device('consoles/x'),
    boot(1, 'power-on'),
    { type: 'stage', device: 'x@y', name: 'kernel', offset: 12, at: 2 },
    {
      type: 'finding',
      device: 'x@y',
      code: 'c',
      severity: 'soft',
      culprit: 'product',
      line: 'l',
      offset: 13,
      at: 3,
    },
    { type: 'boot-end', device: 'x@y', end: 'reset', at: 4 },
    boot(2, 'reset'),
    { type: 'stage', device: 'another@one', name: 'init', offset: 0, at: 5 },
  ])
  assert.deepEqual(others, [])
  assert.deepEqual(first?.boots, [
    {
      ordinal: 1,
      cause: 'power-on',
      startedAt: 1,
      from: 10,
      stages: [{ name: 'kernel', offset: 12, at: 2 }],
      end: 'reset',
    },
    { ordinal: 2, cause: 'reset', startedAt: 2, from: 20, stages: [] },
  ])
  assert.deepEqual(
    first?.findings.map(({ code, offset }) => [code, offset]),
    [['c', 13]],
  )
})

test('what a second session of the run writes belongs to its own device', () => {
  const devices = devicesOf([
    device('consoles/x'),
    boot(1, 'power-on'),
    device('consoles/x-2'),
    boot(1, 'power-on'),
  ])
  assert.deepEqual(
    devices.map(({ console, boots }) => [console, boots.length]),
    [
      ['consoles/x', 1],
      ['consoles/x-2', 1],
    ],
  )
})

test('a last line that was cut is left out', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bw-journal-'))
  try {
    const file = join(folder, 'journal.jsonl')
    assert.deepEqual(readJournal(file), [])
    new Journal(file).write({ type: 'note', text: 'whole', at: 1 })
    appendFileSync(file, '{"type":"no')
    assert.deepEqual(readJournal(file), [{ type: 'note', text: 'whole', at: 1 }])
  } finally {
    rmSync(folder, { recursive: true })
  }
})
