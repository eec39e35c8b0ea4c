import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { filesBelow } from './files.mjs'
import { PACKED, packs } from './pack.mjs'
import { root } from './root.mjs'

test('every package that the library imports is packed, but for Playwright', () => {
  const sources = ['harness', 'fixtures', 'bench'].flatMap(folder => filesBelow(join(root, folder)))
  const imported = sources
    .filter(file => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .flatMap(file => [...readFileSync(file, 'utf8').matchAll(/^import (?!type ).*?from '([^.'][^']*)'/gms)])
    .map(([, name]) => name)
    .filter(name => !/^node:|^@playwright\/|^bootwright(\/|$)/.test(name))
  assert.deepEqual(
    [...new Set(imported)].filter(name => !PACKED.includes(name)),
    [],
  )
  assert.ok(imported.includes('zod'), 'the search finds imports')
})

for (const name of PACKED) {
  test(`the pack of ${name} is what the library gets, and exports what the package does`, async () => {
    const { resolve } = createRequire(join(root, 'dist/harness/cli/main.js'))
    assert.ok(resolve(name).startsWith(packs))
    const [pack, original] = await Promise.all([import(pathToFileURL(resolve(name))), import(name)])
    const missing = Object.keys(original).filter(key => key !== 'module.exports' && !(key in pack))
    assert.deepEqual(missing, [])
  })
}
