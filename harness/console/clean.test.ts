import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cleanText, lastLines } from './clean.js'

test('colours, titles, cursor movements and bells are gone', () => {
  const text =
    '\x1b[?2004h\x1b]0;root@host\x07\x1b[01;32mroot@host\x1b[0m:~# \x1b[Kls\x07\r\n\x1b(Bfile\x1b[6n'
  assert.equal(cleanText(text), 'root@host:~# ls\nfile')
})

test('what was written over is gone', () => {
  assert.equal(cleanText('10%\r20%\r\nab\b\bxy\r\n'), '20%\nxy\n')
})

test('the last lines are those with something in them', () => {
  assert.deepEqual(lastLines(Buffer.from('one\r\n\r\ntwo \r\n\r\nthree'), 2), ['two', 'three'])
})
