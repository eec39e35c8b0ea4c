import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeChannel } from '../channel/fake-channel.js'
import { fakeConsole } from './fake-console.js'
import type { Fault } from '../fault/fault.js'
import { finished } from './finished.js'
import { RecordingReader } from './reader.js'
import { LOG_FILE, Recording } from './recording.js'

test('an announced length is in the file, and every byte of it as it came', async t => {
  const { recording, channel } = fakeConsole(t)
  const seen: number[] = []
  recording.onGrow(length => {
    assert.equal(readFileSync(join(recording.folder, LOG_FILE)).length, length)
    seen.push(length)
  })
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
  for (let i = 0; i < 256; i += 7) channel.say(all.subarray(i, i + 7))
  assert.deepEqual(seen, [], 'chunks of one turn are written together')
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(seen, [256])
  assert.deepEqual(readFileSync(join(recording.folder, LOG_FILE)), all)
})

test('a flood is written before the turn ends', t => {
  const { recording, channel } = fakeConsole(t)
  channel.say(Buffer.alloc(1024 * 1024))
  assert.equal(recording.length(), 1024 * 1024)
})

test('each byte has its time, each line its time since the boot it belongs to', async t => {
  const { recording, channel, reader } = fakeConsole(t)
  recording.mark('boot')
  channel.say('one\r\n')
  recording.flush()
  const before = performance.now()
  while (performance.now() - before < 5) await new Promise(resolve => setImmediate(resolve))
  recording.mark('boot', 'second')
  channel.say('two\r\nthr')
  recording.flush()
  channel.say('ee')
  recording.flush()
  const lines = [...reader.linesWithTimes()]
  assert.deepEqual(
    lines.map(line => [line.from, line.to, line.text]),
    [
      [0, 5, 'one'],
      [5, 10, 'two'],
      [10, 15, 'three'],
    ],
  )
  assert.ok(lines[1]!.sinceBoot < reader.momentOf(5)!.ms, 'the second line counts from the second boot')
  assert.ok(reader.momentOf(5)!.ms - reader.momentOf(4)!.ms >= 4)
  assert.equal(reader.momentOf(100)!.at, reader.momentOf(14)!.at)
  assert.deepEqual(
    reader.marks().map(mark => [mark.mark, mark.offset, mark.text]),
    [
      ['boot', 0, ''],
      ['boot', 5, 'second'],
    ],
  )
  assert.deepEqual(
    [...reader.linesWithTimes(10, 15)].map(line => line.text),
    ['three'],
  )
})

test('a time asked for too early is not kept for what comes', async t => {
  const { recording, channel, reader } = fakeConsole(t)
  const say = async (text: string) => {
    const before = performance.now()
    while (performance.now() - before < 2) await new Promise(resolve => setImmediate(resolve))
    channel.say(text)
    recording.flush()
  }
  await say('a')
  const first = reader.momentOf(1)!
  await say('b')
  const second = reader.momentOf(1)!
  assert.ok(second.ms - first.ms >= 1, `${first.ms} ${second.ms}`)
  assert.deepEqual(reader.momentOf(0), first)
})

test('a console that ends is marked, and another can follow', async t => {
  const { recording, channel, reader } = fakeConsole(t)
  const reasons: string[] = []
  recording.onEnd(reason => reasons.push(reason))
  channel.say('last words')
  channel.vanish()
  assert.deepEqual(reasons, ['the console was closed'])
  assert.equal(recording.ended(), 'the console was closed')
  assert.equal(recording.length(), 10)
  const next = new FakeChannel()
  recording.attach(next)
  assert.equal(recording.ended(), undefined)
  next.say(' again')
  recording.flush()
  assert.equal(reader.readBytes(0, 99).toString(), 'last words again')
})

test('the late end of an old channel does not end the new one', t => {
  const { recording, channel } = fakeConsole(t)
  recording.attach(new FakeChannel())
  channel.vanish()
  assert.equal(recording.ended(), undefined)
})

test('a recording is never written over', t => {
  const { recording } = fakeConsole(t)
  assert.throws(
    () => Recording.create(recording.folder),
    (e: Fault) => e.code === 'console.recording.exists',
  )
})

test('a finished recording is read without its writer', t => {
  const { recording, channel } = fakeConsole(t)
  channel.say('hello\n')
  recording.close()
  using reader = new RecordingReader(recording.folder, finished(recording.folder))
  assert.equal(reader.readBytes(0, reader.length).toString(), 'hello\n')
  assert.deepEqual(
    reader.marks().map(mark => mark.mark),
    ['end'],
  )
})
