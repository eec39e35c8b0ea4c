import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selectionOf } from './selection.js'

const TITLE = 'xen@qemu suites/xen/dom0.spec.ts Dom0 @boot boots in 10 s (or so) @needs:xl-top'

const table: [string, Parameters<typeof selectionOf>[0], boolean][] = [
  ['a title', { title: 'boots in \\d+ s', tags: [] }, true],
  ['a title with that of its describe block, which has a tag', { title: 'Dom0 boots in', tags: [] }, true],
  ['the same with a set of characters', { title: 'Dom0[ ]?@boot[ b]+oots', tags: [] }, true],
  ['another title', { title: 'reboots', tags: [] }, false],
  ['a tag', { tags: ['boot'] }, true],
  ['a tag as it is written in a test', { tags: ['@boot'] }, true],
  ['the beginning of a tag only', { tags: ['boo'] }, false],
  ['a tag up to a colon or hyphen', { tags: ['needs:xl'] }, false],
  ['all of two tags', { tags: ['boot', 'needs:xl-top'] }, true],
  ['one of two tags', { tags: ['boot', 'slow'] }, false],
  ['title and tag', { title: 'Dom0', tags: ['boot'] }, true],
  ['title without tag', { title: 'Dom0', tags: ['slow'] }, false],
  ['an alternative in the title, with a tag', { title: 'nothing|Dom0', tags: ['boot'] }, true],
]

for (const [name, asked, selected] of table) {
  test(`${name}: ${selected ? 'selected' : 'left out'}`, () => {
    assert.equal(selectionOf(asked)?.test(TITLE), selected)
  })
}

test('nothing asked for is no condition', () => {
  assert.equal(selectionOf({ tags: [] }), undefined)
})
