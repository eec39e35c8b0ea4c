// Turns every TypeScript file of the library into JavaScript under dist/, one to one. Types are checked by the linter.
import { readdirSync, rmSync, statSync, existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const SOURCES = ['harness', 'fixtures', 'bench']

export async function buildAll() {
  const sources = SOURCES.flatMap(folder => filesBelow(join(root, folder)).filter(file => file.endsWith('.ts')))
  const stale = sources.filter(file => isOlder(outputOf(file), file))
  if (stale.length > 0) {
    await build({
      entryPoints: stale,
      outdir: join(root, 'dist'),
      outbase: root,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      sourcemap: 'linked',
      logLevel: 'warning',
    })
  }
  removeOrphans(new Set(sources.map(outputOf)))
  return stale.length
}

function outputOf(source) {
  return join(root, 'dist', source.slice(root.length + 1).replace(/\.ts$/, '.js'))
}

function isOlder(output, source) {
  return !existsSync(output) || statSync(output).mtimeMs < statSync(source).mtimeMs
}

/** Output whose source is gone would still be imported, and its tests still run. */
function removeOrphans(wanted) {
  for (const file of filesBelow(join(root, 'dist'))) {
    const script = file.replace(/\.map$/, '')
    if (script.endsWith('.js') && !wanted.has(script)) rmSync(file)
  }
}

function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll()
