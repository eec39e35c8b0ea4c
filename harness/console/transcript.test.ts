import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { fakeConsole } from './fake-console.js'
import type { RecordingReader } from './reader.js'
import { bootsIn, transcript } from './transcript.js'

/** A recording of `parts`: what a board says, or `boot` for the beginning of one. */
function recorded(t: TestContext, ...parts: string[]): RecordingReader {
  const { recording, channel, reader } = fakeConsole(t)
  for (const part of parts) {
    if (part === 'boot') recording.mark('boot', 'reset')
    else channel.say(part)
  }
  recording.flush()
  return reader
}

const TIME = /^\d\d:\d\d:\d\d\.\d{3}Z +\+\d+\.\d{3}(?: {2}|$)/
/** Lines without the times that they all must have; announcements as `boot 2`. */
function lines(reader: RecordingReader, from = 0, to = reader.length, most?: number): string[] {
  return [...transcript(reader, { from, to }, most)].map(line => {
    const boot = /^---- (boot \d+): reset at \d{4}-\d\d-\d\dT[\d:.]+Z ----$/.exec(line)?.[1]
    if (boot !== undefined || line.startsWith('----')) return boot ?? line
    assert.match(line, TIME)
    return line.replace(TIME, '')
  })
}

test('lines are as a person would have seen them, each with its time', t => {
  const reader = recorded(t, 'boot', '\x1b[31mred\x1b[0m \r\n', '\r\n', 'ab\rc\n', 'no end')
  assert.deepEqual(lines(reader), ['boot 1', 'red', '', 'c', 'no end'])
})

test('the times are those of the recording', t => {
  const reader = recorded(t, 'boot', 'one\n')
  const moment = reader.momentOf(0)!
  const [boot] = reader.marks()
  const [, line] = transcript(reader, { from: 0, to: 4 })
  const seconds = ((moment.ms - boot!.ms) / 1000).toFixed(3)
  assert.equal(line, `${new Date(moment.at).toISOString().slice(11)} ${`+${seconds}`.padStart(9)}  one`)
})

test('a range has its own bytes alone', t => {
  const reader = recorded(t, 'boot', 'one\ntwo\nthree\n')
  assert.deepEqual(lines(reader, 4, 8), ['boot 1', 'two'])
  assert.deepEqual(lines(reader, 5, 10), ['boot 1', 'wo', 'th'])
})

test('a boot that was cut off in a line does not run into the next', t => {
  const reader = recorded(t, 'early', 'boot', 'login: ', 'boot', 'again\n')
  assert.deepEqual(lines(reader), ['early', 'boot 1', 'login:', 'boot 2', 'again'])
})

test('the boots of a range are those it has bytes of', t => {
  const reader = recorded(t, 'x', 'boot', '1', 'boot', '2', 'boot', 'boot', '4', 'boot')
  const ordinals = (from: number, to: number) => bootsIn(reader, { from, to }).map(({ ordinal }) => ordinal)
  assert.deepEqual(ordinals(0, 1), [])
  assert.deepEqual(ordinals(0, 2), [1])
  assert.deepEqual(ordinals(1, 2), [1])
  assert.deepEqual(ordinals(1, 3), [1, 2])
  assert.deepEqual(ordinals(3, 4), [4], 'the third printed nothing')
  assert.deepEqual(ordinals(2, 2), [2])
  assert.deepEqual(ordinals(4, 4), [5])
})

test('of too many lines the first and the last are kept, and the hole is named', t => {
  const all = Array.from({ length: 10 }, (_, index) => `${index}\n`).join('')
  const reader = recorded(t, 'boot', all)
  const hole = (count: number, from: number, to: number) =>
    `---- ${count} lines left out here: bytes ${from} to ${to} ----`
  assert.deepEqual(lines(reader, 0, 20, 5), ['boot 1', '0', '1', hole(5, 4, 14), '7', '8', '9'])
  assert.deepEqual(lines(reader, 4, 20, 4), ['boot 1', '2', '3', hole(4, 8, 16), '8', '9'])
  assert.deepEqual(lines(reader, 0, 19, 9).slice(-6), [hole(1, 8, 10), '5', '6', '7', '8', '9'])
  assert.deepEqual(lines(reader, 0, 20, 1), ['boot 1', hole(9, 0, 18), '9'])
  assert.equal(lines(reader, 0, 20, 10).length, 11, 'what is not too many is whole')
})

test('a boot behind the hole is announced, one in it is not', t => {
  const reader = recorded(t, 'boot', 'a\nb\n', 'boot', 'c\nd\n', 'boot', 'e\nf\n')
  const hole = '---- 2 lines left out here: bytes 4 to 8 ----'
  assert.deepEqual(lines(reader, 0, 12, 4), ['boot 1', 'a', 'b', hole, 'boot 3', 'e', 'f'])
})

test('a hole is found beyond one block', t => {
  const reader = recorded(t, 'boot', `${'x'.repeat(99)}\n`.repeat(30_000), 'last\n')
  const [boot, first, hole, ...end] = lines(reader, 0, reader.length, 2)
  assert.deepEqual([boot, first, end], ['boot 1', 'x'.repeat(99), ['last']])
  assert.equal(hole, '---- 29999 lines left out here: bytes 100 to 3000000 ----')
})

test('an endless line is cut', t => {
  const reader = recorded(t, 'boot', 'y'.repeat(5000))
  assert.deepEqual(lines(reader).slice(1), [`${'y'.repeat(1000)}… and 4000 more characters`])
})
