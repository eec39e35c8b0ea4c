import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SetupFailure } from './failure.mjs'
import { root } from './root.mjs'

/**
 * Whether node_modules holds what package-lock.json asks for. Compared with the list npm leaves when it has finished:
 * a clone copied, switched to another branch or interrupted in `npm ci` is judged by what it has.
 */
export function dependenciesAreCurrent() {
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf('node_modules/.package-lock.json')
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === '' || (entry.optional && !isForThisMachine(entry))) return true
    return present[path]?.version === entry.version && existsSync(join(root, path, 'package.json'))
  })
}

export async function installDependencies() {
  process.stderr.write('Installing npm packages (npm ci)...\n')
  const started = Date.now()
  const code = await npm(['ci', '--no-audit', '--no-fund', '--loglevel=error'])
  if (code !== 0) {
    throw new SetupFailure(
      `npm ci failed with exit code ${code}; what it said is above. Run the command again.`,
    )
  }
  process.stderr.write(`Installed npm packages in ${Math.round((Date.now() - started) / 1000)} s.\n`)
}

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return {}
    throw error
  }
}

function isForThisMachine({ os, cpu, libc }) {
  return (
    libc === undefined && (os?.includes(process.platform) ?? true) && (cpu?.includes(process.arch) ?? true)
  )
}

/** The npm that started us, or the one on the PATH. */
function npm(args) {
  const script = process.env.npm_execpath
  const [command, ...first] = script?.endsWith('.js') ? [process.execPath, script] : ['npm']
  const child = spawn(command, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Devices need no browser.
    env: { ...process.env, PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' },
  })
  return new Promise((resolve, reject) => {
    child.once('error', error =>
      reject(
        error.code === 'ENOENT' ? new SetupFailure('npm is not installed; it comes with Node.js.') : error,
      ),
    )
    child.once('close', (code, signal) => resolve(code ?? `signal ${signal}`))
  })
}
