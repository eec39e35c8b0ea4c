import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { ESLint } from 'eslint'
import tseslint from 'typescript-eslint'
import { floorsRule } from './floors-rule.mjs'
import { root } from './root.mjs'

const eslint = new ESLint({ cwd: root })

/** What the linter says about `text` standing in place of the file at `path`, which must be there: its types count. */
async function complaints(path, text) {
  const [{ messages }] = await eslint.lintText(text, { filePath: join(root, path) })
  return messages.map(({ line, ruleId, message }) => `${line}: ${ruleId}: ${message}`)
}

test('an assertion on a device that nobody awaits is an error', async () => {
  const suite = `import { expect, test } from 'bootwright'
    test('boots', async ({ device }) => {
      const shell = await device.shell()
      await expect(device.console).toPrint('login:')
      expect(device.console).toPrint('login:')
      await expect(shell).toRun('true')
      expect(shell).toRun('true')
    })
  `
  const said = await complaints('playwright.config.ts', suite)
  assert.equal(said.length, 2, said.join('\n'))
  assert.match(said[0], /^5: @typescript-eslint\/no-floating-promises/)
  assert.match(said[1], /^7: @typescript-eslint\/no-floating-promises/)
})

const IMPORTS = [
  [
    'harness/fault/exit.ts',
    '../session/a.js',
    'fault (floor 1) must not import session (floor 9), which is above it',
  ],
  ['harness/channel/channel.ts', '../fault/a.js', undefined],
  ['harness/declare/size.ts', '../fault/a.js', undefined],
  [
    'harness/fault/exit.ts',
    '../declare/a.js',
    'fault (floor 1) must not import declare (floor 1), its neighbour',
  ],
  [
    'harness/fault/exit.ts',
    '../attic/a.js',
    'harness/attic stands on no floor: give it one in setup/floors.mjs',
  ],
  ['harness/fault/exit.ts', './a.js', undefined],
  [
    'harness/fault/exit.ts',
    '../../fixtures/index.js',
    'fault (floor 1) must not import fixtures/: the harness stands below it',
  ],
  [
    'harness/fault/exit.ts',
    '@playwright/test',
    'only fixtures/ and playwright.config.ts import @playwright/test',
  ],
  [
    'harness/fault/exit.ts',
    'bootwright',
    'fault (floor 1) must not import fixtures/: the harness stands below it',
  ],
  ['fixtures/a.ts', '@playwright/test', undefined],
  ['fixtures/a.ts', '../harness/session/a.js', undefined],
  ['fixtures/a.ts', '../harness/lab/a.js', 'fixtures must not import lab (floor 11): they reach up to run'],
  ['suites/xen/a.ts', 'bootwright', undefined],
  ['suites/xen/a.ts', './b.js', undefined],
  ['suites/xen/a.ts', '@playwright/test', 'only fixtures/ and playwright.config.ts import @playwright/test'],
  ['suites/xen/a.ts', 'yaml', "a suite imports from 'bootwright', not from 'yaml'"],
  [
    'suites/xen/a.ts',
    '../smoke/a.js',
    "a suite imports from 'bootwright' and from its own folder, not suites/smoke",
  ],
  [
    'suites/xen/a.ts',
    '../../harness/session/a.js',
    "a suite imports from 'bootwright' and from its own folder, not session (floor 9)",
  ],
]

test('each file imports only from below', async () => {
  const untyped = new ESLint({
    cwd: root,
    overrideConfigFile: true,
    overrideConfig: {
      files: ['**/*.ts'],
      languageOptions: { parser: tseslint.parser },
      plugins: { bootwright: { rules: { floors: floorsRule } } },
      rules: { 'bootwright/floors': 'error' },
    },
  })
  for (const [path, specifier, expected] of IMPORTS) {
    for (const text of [
      `import '${specifier}'`,
      `export * from '${specifier}'`,
      `await import('${specifier}')`,
    ]) {
      const [{ messages }] = await untyped.lintText(text, { filePath: join(root, path) })
      assert.deepEqual(
        messages.map(m => m.message),
        expected ? [expected] : [],
        `${path}: ${text}`,
      )
    }
  }
})

test('the floors are part of the lint configuration', async () => {
  const said = await complaints('harness/fault/exit.ts', `export type { A } from '../session/a.js'\n`)
  assert.ok(
    said.some(line => line.startsWith('1: bootwright/floors: fault (floor 1) must not import session')),
    said.join('\n'),
  )
})
