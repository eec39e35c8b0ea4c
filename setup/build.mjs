// Turns every TypeScript file of the library into JavaScript under dist/, one to one, beside packs of the packages that it
// imports. Types are checked by the linter.
import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { filesBelow } from './files.mjs'
import { makePacks, packs, packsAreCurrent } from './pack.mjs'
import { cache, root } from './root.mjs'

const SOURCES = ['harness', 'fixtures', 'bench']
const COMMAND = join(root, 'dist/harness/cli/main.js')

export function buildIsCurrent() {
  const sources = sourceFiles()
  return sources.every(file => !isStale(file)) && orphans(sources).length === 0 && packsAreCurrent()
}

/** Builds what is stale and removes output whose source is gone; returns how many files were built. */
export async function buildAll() {
  if (!packsAreCurrent()) await makePacks()
  const sources = sourceFiles()
  const stale = sources.filter(isStale)
  if (stale.length > 0) await transpile(stale)
  // It would still be imported, and its tests still run.
  for (const file of orphans(sources)) rmSync(file)
  return stale.length
}

async function transpile(sources) {
  // Loaded only now: set-up imports this file before anything is installed.
  const { build } = await import('esbuild')
  const times = new Map(sources.map(file => [outputOf(file), statSync(file).mtime]))
  const { outputFiles } = await build({
    entryPoints: sources,
    outdir: join(root, 'dist'),
    outbase: root,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: 'linked',
    logLevel: 'warning',
    write: false,
  })
  // Maps first, and each file whole or not at all: a script that is there is complete, also after an interruption.
  const ordered = outputFiles.sort(
    (a, b) => Number(b.path.endsWith('.map')) - Number(a.path.endsWith('.map')),
  )
  const unfinished = join(cache, `build-${process.pid}`)
  mkdirSync(cache, { recursive: true })
  try {
    for (const { path, contents } of ordered) {
      writeFileSync(unfinished, contents, { mode: path === COMMAND ? 0o755 : 0o644 })
      const time = times.get(path)
      if (time) utimesSync(unfinished, time, time)
      mkdirSync(dirname(path), { recursive: true })
      renameSync(unfinished, path)
    }
  } finally {
    rmSync(unfinished, { force: true })
  }
}

function outputOf(source) {
  return join(root, 'dist', source.slice(root.length + 1).replace(/\.ts$/, '.js'))
}

/** Output carries its source's time, so that a source that became older (another branch) counts as changed too. */
function isStale(source) {
  const output = statSync(outputOf(source), { throwIfNoEntry: false })
  return !output || Math.abs(output.mtimeMs - statSync(source).mtimeMs) >= 2
}

function sourceFiles() {
  return SOURCES.flatMap(folder => filesBelow(join(root, folder)).filter(file => /(?<!\.d)\.ts$/.test(file)))
}

function orphans(sources) {
  const wanted = new Set(sources.map(outputOf))
  return filesBelow(join(root, 'dist')).filter(
    file => !wanted.has(file.replace(/\.map$/, '')) && !file.startsWith(packs + sep),
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildAll()
