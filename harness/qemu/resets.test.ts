import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ResetFilter } from './resets.js'

const reset = (at: number, guest = true) => ({ event: 'RESET', data: { guest }, at })

test('what SeaBIOS does after a reset is not another boot', () => {
  const filter = new ResetFilter('x86-64')
  assert.equal(filter.beginsBoot(reset(1000, false), 50), true)
  assert.equal(filter.beginsBoot(reset(1090), 50), false)
  assert.equal(filter.beginsBoot(reset(1091), 50), false)
})

test('a guest that printed and resets at once has booted', () => {
  const filter = new ResetFilter('x86-64')
  assert.equal(filter.beginsBoot(reset(1000), 50), true)
  assert.equal(filter.beginsBoot(reset(1500), 57), true)
})

test('a silent guest that resets again and again is told each time', () => {
  const filter = new ResetFilter('x86-64')
  assert.equal(filter.beginsBoot(reset(1000), 0), true)
  assert.equal(filter.beginsBoot(reset(31_000), 0), true)
})

test('we reset as often as we say, and arm64 firmware does not reset', () => {
  const x86 = new ResetFilter('x86-64')
  assert.equal(x86.beginsBoot(reset(1000, false), 0), true)
  assert.equal(x86.beginsBoot(reset(1100, false), 0), true)
  const arm = new ResetFilter('arm64')
  assert.equal(arm.beginsBoot(reset(1000), 0), true)
  assert.equal(arm.beginsBoot(reset(1100), 0), true)
})
