// `npm run bench [NAME] [-- --json]`: every measurement of bench/, beside its peer. Words: only those whose name has one.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { asCommand, SetupFailure } from './failure.mjs'
import { filesBelow } from './files.mjs'
import { root } from './root.mjs'
import { setUp } from './setup.mjs'

await asCommand(async () => {
  const args = process.argv.slice(2)
  const asJson = args.includes('--json')
  const words = args.filter(arg => !arg.startsWith('--'))
  await setUp({ dev: true })
  const all = await benchmarks()
  const wanted = all.filter(({ name }) => words.length === 0 || words.some(word => name.includes(word)))
  if (wanted.length === 0) {
    const names = all.map(({ name }) => name).join(', ') || 'none'
    throw new SetupFailure(`no benchmark is called ${words.join(' or ') || 'anything'}; there are: ${names}`)
  }
  if (!asJson) process.stdout.write(`${row(['benchmark', 'ours', 'peer', 'ratio', 'goal'])}\n`)
  // One at a time: they would measure each other.
  for (const { name, unit, goal, run } of wanted) {
    const result = { name, unit, ...(await run()), ...(goal !== undefined && { goal }) }
    const { ours, peer, ratio = peer === undefined ? undefined : ours / peer } = result
    const line = asJson
      ? JSON.stringify({ ...result, ...(ratio !== undefined && { ratio }) })
      : row([name, `${shown(ours)} ${unit}`, shown(peer), shown(ratio), shown(goal)])
    process.stdout.write(`${line}\n`)
  }
  return 0
})

/** What the files of bench/ export: `benchmarks: {name, unit, goal?, run(): Promise<{ours, peer?, ratio?}>}[]`. */
async function benchmarks() {
  const files = filesBelow(join(root, 'dist/bench')).filter(file => /(?<!\.test)\.js$/.test(file))
  const modules = await Promise.all(files.sort().map(file => import(pathToFileURL(file))))
  return modules.flatMap(module => module.benchmarks ?? [])
}

function shown(value) {
  if (typeof value !== 'number') return value ?? '-'
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

function row([name, ...figures]) {
  return name.padEnd(36) + figures.map(figure => String(figure).padStart(14)).join('')
}
