import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rotated, runWithin } from './slow-groups.mjs'

const MINUTE = 60_000

test('each day starts with another group, and each group is first some day', () => {
  const days = [0, 1, 2].map(day => rotated(['c', 'a', 'b'], new Date(day * 86_400_000)))
  assert.deepEqual(days, [
    ['a', 'b', 'c'],
    ['b', 'c', 'a'],
    ['c', 'a', 'b'],
  ])
})

test('a group that would not fit by its last duration is left out and named; a shorter one still runs', async () => {
  let clock = 0
  const took = { a: 6 * MINUTE, b: 8 * MINUTE, c: 2 * MINUTE }
  const ran = []
  const notRun = await runWithin({
    groups: ['a', 'b', 'c'],
    budget: 10 * MINUTE,
    took,
    now: () => clock,
    run: async group => {
      ran.push(group)
      clock += took[group]
      return { finished: true }
    },
  })
  assert.deepEqual(ran, ['a', 'c'])
  assert.deepEqual(notRun, ['b'])
})

test('a group stopped by the budget is named, and nothing starts after it', async () => {
  let clock = 0
  const ran = []
  const notRun = await runWithin({
    groups: ['a', 'b'],
    budget: MINUTE,
    took: {},
    now: () => clock,
    run: async (group, left) => {
      ran.push(group)
      clock += left
      return { finished: false }
    },
  })
  assert.deepEqual(ran, ['a'])
  assert.deepEqual(notRun, ['a', 'b'])
})
