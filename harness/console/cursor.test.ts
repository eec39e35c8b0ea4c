import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { FakeChannel } from '../channel/fake-channel.js'
import { fakeConsole } from './fake-console.js'
import type { Fault } from '../fault/fault.js'

const LONG = { timeout: 20_000 }

function console(t: TestContext) {
  const { recording, channel, reader } = fakeConsole(t)
  const say = (text: string) => {
    channel.say(text)
    recording.flush()
  }
  return { recording, channel, reader, say }
}

test('matches what comes, across chunks, and moves behind it', async t => {
  const { reader, say } = console(t)
  const cursor = reader.cursor()
  const waiting = cursor.expect(/(?<who>\w+) login: /, LONG)
  say('Debian\r\nhost lo')
  say('gin: rest')
  const match = await waiting
  assert.equal(match.text, 'host login: ')
  assert.equal(match.groups['who'], 'host')
  assert.equal(match.match[1], 'host')
  assert.equal(match.before, 'Debian\r\n')
  assert.deepEqual([match.from, match.to, match.start], [8, 20, 0])
  assert.equal(reader.readBytes(match.from, match.to).toString(), match.text)
  assert.equal(cursor.position, 20)
  assert.equal(cursor.take(), 'rest')
})

test('a late cursor matches the past, in order, one after the other', async t => {
  const { reader, say } = console(t)
  say('a1 ü a2 a3')
  const cursor = reader.cursor(0)
  const seen: number[] = []
  for (let i = 0; i < 3; i++) seen.push((await cursor.expect(/a\d/, LONG)).from)
  assert.deepEqual(seen, [0, 6, 9])
})

test('a far match in a long past is found', async t => {
  const { reader, say } = console(t)
  say('x'.repeat(3_000_000))
  say('needle')
  assert.equal((await reader.cursor(0).expect(['no', 'needle'], LONG)).from, 3_000_000)
})

test('an unwanted pattern that comes first fails the wait; one that comes later does not', async t => {
  const { reader, say } = console(t)
  say('good\r\nKernel panic - not syncing: no init\r\n')
  await reader.cursor(0).expect('good', { ...LONG, not: ['panic'] })
  await assert.rejects(
    reader.cursor(0).expect('login:', { ...LONG, not: ['panic'], notFault: { code: 'boot.kernel.panic' } }),
    (e: Fault) =>
      e.code === 'boot.kernel.panic' &&
      e.culprit === 'product' &&
      e.evidence!.includes('Kernel panic - not syncing: no init'),
  )
})

test('a time-out says what was awaited, what came instead, cleaned, and how long it has been silent', async t => {
  const { reader, say } = console(t)
  say('\x1b[32mStarting\x1b[0m things\r\nstuck here')
  await assert.rejects(reader.cursor(0).expect([/login:/, 'shell'], { timeout: 20 }), (e: Fault) => {
    assert.equal(e.code, 'console.expect.timeout')
    assert.equal(e.culprit, 'product')
    assert.match(e.seen, /waited \d+\.\d s for \/login:\/ or "shell"; silent for \d+\.\d s/)
    assert.deepEqual(e.evidence, ['Starting things', 'stuck here'])
    return true
  })
  await assert.rejects(
    reader.cursor().expect('x', { timeout: 5, fault: { code: 'boot.login.timeout', culprit: 'lab' } }),
    (e: Fault) =>
      e.code === 'boot.login.timeout' && e.culprit === 'lab' && e.seen.includes('nothing came since'),
  )
})

test('the end of the console ends a wait at once', async t => {
  const { reader, channel, say } = console(t)
  const waiting = assert.rejects(
    reader.cursor(0).expect('never', { timeout: 1e6 }),
    (e: Fault) => e.code === 'console.ended' && e.seen.includes('the console was closed'),
  )
  say('words')
  channel.vanish()
  await waiting
  assert.equal((await reader.cursor(0).expect('words', LONG)).from, 0, 'the past can still be matched')
  await assert.rejects(reader.cursor(0).expect('never', LONG), (e: Fault) => e.code === 'console.ended')
})

test('a wait can outlive a power cycle', async t => {
  const { reader, channel, recording } = console(t)
  const waiting = reader.cursor(0).expect('back', { ...LONG, throughEnd: true })
  channel.vanish()
  const next = new FakeChannel()
  recording.attach(next)
  next.say('back')
  assert.equal((await waiting).from, 0)
})

test('an abort ends a wait with its reason; a second wait on a cursor is a fault', async t => {
  const { reader } = console(t)
  const controller = new AbortController()
  const cursor = reader.cursor()
  const waiting = assert.rejects(cursor.expect('x', { ...LONG, signal: controller.signal }), /enough/)
  await assert.rejects(cursor.expect('y', LONG), (e: Fault) => e.code === 'console.cursor.busy')
  controller.abort(new Error('enough'))
  await waiting
  await assert.rejects(cursor.expect('x', { timeout: 1 }), (e: Fault) => e.code === 'console.expect.timeout')
})
