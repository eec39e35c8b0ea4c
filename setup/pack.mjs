// Packs the packages that our programs import into one file each, in dist/node_modules: from dist/, Node looks there first.
// Finding and reading hundreds of small files is most of what a command does until it has started.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cache, root } from './root.mjs'

/** Not Playwright: a test and its runner must share it, and it comes packed. */
export const PACKED = [
  'yargs',
  'zod',
  'yaml',
  'picocolors',
  'fastest-levenshtein',
  'vscode-jsonrpc/node',
  'junit-report-builder',
  'allure-js-commons',
  'allure-js-commons/sdk/reporter',
]

export const packs = join(root, 'dist/node_modules')
const MARK = 'packed-from'

/** Whether the packs were made, by this file, from what is installed. */
export function packsAreCurrent() {
  try {
    return readFileSync(join(packs, MARK), 'utf8') === origin()
  } catch {
    return false
  }
}

export async function makePacks() {
  // Loaded only now: set-up imports this file before anything is installed.
  const { build } = await import('esbuild')
  const entries = join(cache, `pack-entries-${process.pid}`)
  const unfinished = join(cache, `packs-${process.pid}`)
  try {
    const entryPoints = {}
    for (const name of PACKED) {
      const entry = (entryPoints[`${name}/index`] = join(entries, `${name.replaceAll('/', '-')}.mjs`))
      mkdirSync(entries, { recursive: true })
      writeFileSync(entry, entryOf(name, Object.keys(await import(name))))
    }
    await build({
      entryPoints,
      outdir: unfinished,
      // Two entries of a package share its state.
      splitting: true,
      chunkNames: 'shared/[hash]',
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      alias: { 'string-width': join(root, 'setup/plain-width.mjs') },
      logLevel: 'warning',
      // What was CommonJS asks in this way for Node's own modules.
      banner: {
        js: `import { createRequire as _for } from 'node:module'\nconst require = _for(import.meta.url)`,
      },
    })
    for (const name of PACKED) {
      const folder = join(unfinished, packageOf(name))
      writeFileSync(join(folder, 'package.json'), JSON.stringify(manifestOf(packageOf(name))))
    }
    writeFileSync(join(unfinished, MARK), origin())
    mkdirSync(dirname(packs), { recursive: true })
    rmSync(packs, { recursive: true, force: true })
    try {
      renameSync(unfinished, packs)
    } catch (error) {
      // Another build of this clone has just put its own there.
      if (!packsAreCurrent()) throw error
    }
  } finally {
    for (const folder of [entries, unfinished]) rmSync(folder, { recursive: true, force: true })
  }
}

/** A module with the exports that Node sees: of a package in CommonJS the packer would see only one. */
function entryOf(name, exports) {
  const names = exports.filter(key => key !== 'default' && key !== 'module.exports')
  const [taken, given] = [
    names.map((key, index) => `${key}: _${index}`),
    names.map((key, index) => `_${index} as ${key}`),
  ]
  const all = `import * as all from '${name}'\nconst { ${taken} } = all\nexport { ${given} }\n`
  return exports.includes('default') ? `${all}export { default } from '${name}'\n` : all
}

function manifestOf(name) {
  const own = PACKED.filter(entry => packageOf(entry) === name)
  const paths = own.map(entry => entry.slice(name.length))
  return {
    name,
    type: 'module',
    exports: Object.fromEntries(paths.map(path => [`.${path}`, `.${path}/index.js`])),
  }
}

function packageOf(name) {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/')
}

/** The list that npm keeps of what it has installed, and how it is packed. */
function origin() {
  const digest = createHash('sha256')
  for (const file of ['node_modules/.package-lock.json', 'setup/pack.mjs', 'setup/plain-width.mjs'])
    digest.update(readFileSync(join(root, file)))
  return digest.digest('hex')
}
