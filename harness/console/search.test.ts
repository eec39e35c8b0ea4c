import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { compile, fromBytes, toBytes, type Pattern } from './pattern.js'
import { Search, WINDOW } from './search.js'

function search(patterns: Pattern[], text: string, size: number) {
  const bytes = toBytes(text)
  const searching = new Search(patterns.map(compile))
  for (let at = 0; at < bytes.length; at += size) {
    const hit = searching.feed(bytes.slice(at, at + size))
    if (hit) return { index: hit.index, from: hit.from, text: fromBytes(bytes.slice(hit.from, hit.to)) }
  }
  return undefined
}

test('a match is the same whatever the chunks', () => {
  const text = `${'x'.repeat(5000)}\r\nDebian tty1\r\nhost login: ${'y'.repeat(100)}`
  for (const size of [1, 2, 3, 7, 64, 4096, 1e6]) {
    assert.deepEqual(search(['host login:'], text, size), { index: 0, from: 5015, text: 'host login:' })
    assert.deepEqual(search([/^\w+ login:/m], text, size), { index: 0, from: 5015, text: 'host login:' })
    assert.deepEqual(search(['nowhere', /t l.{3}n/], text, size), { index: 1, from: 5018, text: 't login' })
  }
})

test('a long literal and a match as long as the window are found in single bytes', () => {
  const long = 'abc'.repeat(4000)
  assert.equal(search([long], `ab${long}`, 1)?.from, 2)
  const block = `<${'-'.repeat(WINDOW - 2)}>`
  assert.equal(search([/<-+>/], `++++${block}`, 1)?.from, 4)
})

test('the first in the text wins, at the same place the first given', () => {
  assert.equal(search(['b', 'a'], 'xxab', 99)?.index, 1)
  assert.equal(search([/ab/, /abc/], 'xxabc', 99)?.index, 0)
  assert.equal(search([/abc/, /ab/], 'xxabc', 99)?.index, 0)
})

test('the start of the text is where the search began, not where the window was cut', () => {
  assert.equal(search([/^b/], 'a'.repeat(20000) + 'b', 64), undefined)
  assert.equal(search([/^b/m], 'a'.repeat(20000) + 'b', 64), undefined)
  assert.equal(search([/(?<!a)b/], 'a'.repeat(20000) + 'b', 64), undefined)
  assert.equal(search([/^b/], 'ba', 64)?.from, 0)
})

test('characters beyond ASCII match their bytes, also when cut in two', () => {
  const text = 'Grüße, 日本 🚀!'
  for (const size of [1, 2, 99]) {
    assert.equal(search(['üß'], text, size)?.text, 'üß')
    assert.equal(search([/ü+ß/], text, size)?.text, 'üß')
    assert.equal(search([/\u65e5本/], text, size)?.text, '日本')
    assert.equal(search([/\u{1f680}!/u], text, size)?.text, '🚀!')
    assert.equal(search([/\ud83d\ude80!/], text, size)?.text, '🚀!')
  }
  assert.equal(search([/a\sb/], 'aàb', 99), undefined)
  assert.equal(search([/\xc3\xbc/], text, 99)?.text, 'ü')
})

test('what has no meaning in bytes is a fault before any wait', () => {
  for (const pattern of [/[äö]/, /ä/i, /\p{L}/u, '', /[\u00e4]/]) {
    assert.throws(
      () => compile(pattern),
      (e: Fault) => e.code === 'console.pattern.unsupported' && e.culprit === 'test',
      String(pattern),
    )
  }
})

test('what is scanned does not grow with what has come', () => {
  let scanned = 0
  const counting = /z/g
  const exec = RegExp.prototype.exec.bind(counting)
  counting.exec = text => {
    scanned += text.length - counting.lastIndex
    return exec(text)
  }
  const searching = new Search([{ kind: 'regexp', regexp: counting, source: counting }])
  const chunk = 'a'.repeat(64)
  const chunks = 5000
  for (let i = 0; i < chunks; i++) searching.feed(chunk)
  assert.ok(scanned <= chunks * (WINDOW + 64), `${scanned}`)
})
