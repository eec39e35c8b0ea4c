// `npm run soak -- NAME [--count N]`: does one thing again and again, until it fails or something grows.
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { runInOurPlace } from './child.mjs'
import { asCommand, SetupFailure } from './failure.mjs'
import { filesBelow } from './files.mjs'
import { root } from './root.mjs'
import { setUp } from './setup.mjs'

const DEFAULT_COUNT = 500

await asCommand(async () => {
  const args = process.argv.slice(2)
  // Memory can be compared only once garbage is gone.
  if (!globalThis.gc)
    return runInOurPlace(process.execPath, ['--expose-gc', join(root, 'setup/soak.mjs'), ...args], {
      cwd: root,
    })
  await setUp({ dev: true })
  const at = args.indexOf('--count')
  const count = at < 0 ? DEFAULT_COUNT : Number(args[at + 1])
  if (!Number.isInteger(count) || count < 1) throw new SetupFailure(`--count is a whole number from 1 on`)
  const [name] = at < 0 ? args : args.toSpliced(at, 2)
  const names = filesBelow(join(root, 'dist/bench/soak'))
    .filter(file => file.endsWith('.js'))
    .map(file => basename(file, '.js'))
  const file = join(root, `dist/bench/soak/${name}.js`)
  if (!name || !existsSync(file))
    throw new SetupFailure(`npm run soak -- NAME, which is one of: ${names.join(', ')}`)
  const { soak } = await import(pathToFileURL(file))
  try {
    await soak(count, line => process.stdout.write(`${line}\n`))
  } catch (error) {
    throw new SetupFailure(`${name}: ${error.message}`)
  }
  process.stdout.write(`${name}: ${count} rounds without a failure, and nothing has grown\n`)
  return 0
})
