import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noneMatches } from './nearest-tests.js'

const TESTS = [
  { title: ['Dom0', 'boots to a prompt'], tags: ['@boot'] },
  { title: ['Dom0', 'has the memory it was given'], tags: ['@memory', '@needs:xl'] },
  { title: ['guests', 'shut down when told to'], tags: ['@slow'] },
  { title: ['guests', 'keep time'], tags: ['@slow'] },
]

test('a mistyped part of a title: the title that has it comes first', () => {
  assert.match(
    noneMatches({ title: 'the memroy', tags: [] }, TESTS),
    /^no test matches \/the memroy\/; the nearest: "Dom0 › has the/,
  )
  assert.match(
    noneMatches({ title: 'shutdown when', tags: [] }, TESTS),
    /the nearest: "guests › shut down when told to"/,
  )
})

test('a long list is not shown in full', () => {
  assert.equal(noneMatches({ title: 'x', tags: [] }, TESTS).match(/ › /g)?.length, 3)
})

test('a mistyped tag: the one that was meant', () => {
  assert.equal(
    noneMatches({ tags: ['slwo'] }, TESTS),
    'no test matches @slwo; the nearest: @slow (see: bootwright list tests)',
  )
})

test('tags that exist, on no test together, are named without a guess', () => {
  assert.equal(
    noneMatches({ tags: ['slow', '@boot'] }, TESTS),
    'no test matches @slow and @boot (see: bootwright list tests)',
  )
})

test('nothing asked for, and no tests', () => {
  assert.equal(
    noneMatches({ tags: [] }, []),
    'no test matches what was asked for (see: bootwright list tests)',
  )
})
