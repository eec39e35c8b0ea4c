import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { controlKey } from './boot-interactively.js'

for (const [name, byte] of [
  ['ctrl-a', 1],
  ['ctrl-X', 24],
  ['ctrl-[', 27],
  ['ctrl-\\', 28],
  ['ctrl-]', 29],
  ['CTRL-_', 31],
] as const) {
  test(`${name} is byte ${byte}`, () => assert.equal(controlKey(name), byte))
}

for (const name of ['x', 'ctrl-', 'ctrl-1', 'ctrl-ab', 'alt-x', 'escape']) {
  test(`"${name}" is no key that leaves`, () => {
    assert.throws(
      () => controlKey(name),
      (error: Fault) => error.code === 'usage.key.unknown',
    )
  })
}
