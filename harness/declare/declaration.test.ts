import assert from 'node:assert/strict'
import { test } from 'node:test'
import { z } from 'zod'
import { Fault } from '../fault/fault.js'
import { parseDeclaration } from './declaration.js'
import { parseSize, size } from './size.js'

const schema = z.strictObject({
  boards: z.record(
    z.string(),
    z.discriminatedUnion('driver', [
      z.strictObject({
        driver: z.literal('qemu'),
        memory: size,
        cpus: z.number(),
        mode: z.enum(['a', 'b']).optional(),
      }),
    ]),
  ),
})

function faultOf(text: string): Fault {
  try {
    parseDeclaration(text, 'lab.yaml', schema)
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
  throw new Error('no fault')
}

test('a sound file is read, sizes as bytes', () => {
  const lab = parseDeclaration('boards:\n  a: {driver: qemu, memory: 1G, cpus: 2}\n', 'lab.yaml', schema)
  assert.equal(lab.boards['a']?.memory, 1024 ** 3)
})

test('a wrong key names its line, column and field, and the key that was meant', () => {
  const fault = faultOf('boards:\n  a:\n    driver: qemu\n    memroy: 1G\n    memory: 1G\n    cpus: 2\n')
  assert.equal(fault.code, 'declare.invalid')
  assert.equal(fault.where, 'lab.yaml:4:5: boards.a.memroy')
  assert.equal(fault.next, 'did you mean "memory"?')
})

test('a wrong type names what is allowed and what was found', () => {
  const fault = faultOf('boards:\n  a: {driver: qemu, memory: 1G, cpus: many}\n')
  assert.equal(fault.where, 'lab.yaml:2:39: boards.a.cpus')
  assert.equal(fault.expected, 'a number')
  assert.equal(fault.seen, 'found "many"')
})

test('a wrong type is told with the article that it takes', () => {
  const shape = z.strictObject({ names: z.array(z.string()), place: z.strictObject({}) })
  assert.throws(
    () => parseDeclaration('names: 1\nplace: 1\n', 'lab.yaml', shape),
    (error: Fault) => error.expected === 'an array' && /expected an object/.test(error.message),
  )
  assert.equal(faultOf('boards: 1\n').expected, 'a record')
})

test('a value out of a list names the list, and a bad size what a size is', () => {
  const fault = faultOf('boards:\n  a: {driver: qemu, memory: 1X, cpus: 1, mode: c}\n')
  assert.match(fault.message, /a size such as 384M or 1G/)
  assert.match(fault.message, /expected one of: a, b/)
})

test('broken YAML names its line', () => {
  const fault = faultOf('boards:\n  a: {driver: qemu\n')
  assert.equal(fault.code, 'declare.syntax')
  assert.match(fault.where ?? '', /^lab\.yaml:\d+:\d+$/)
})

test('sizes', () => {
  assert.equal(parseSize('384M'), 384 * 1024 ** 2)
  assert.equal(parseSize('1GiB'), 1024 ** 3)
  assert.equal(parseSize(12), 12)
  assert.equal(parseSize('12 apples'), undefined)
})
