// `npm run lint`: format, lint rules and types, side by side.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { asCommand } from './failure.mjs'
import { cache, root } from './root.mjs'
import { setUp } from './setup.mjs'

const kept = join(cache, 'lint')
const CHECKS = [
  {
    name: 'format',
    program: 'prettier/bin/prettier.cjs',
    args: ['--check', '--log-level', 'warn', '--cache', '--cache-location', join(kept, 'prettier'), '.'],
    remedy: 'npm run format',
  },
  {
    name: 'rules',
    program: 'eslint/bin/eslint.js',
    // By content: what a clone's files have as times says nothing.
    args: ['--cache', '--cache-strategy', 'content', '--cache-location', join(kept, 'eslint'), '.'],
    remedy: 'npx eslint --fix . mends some of it',
  },
  {
    name: 'types',
    program: 'typescript/bin/tsc',
    args: ['--project', '.', '--incremental', '--tsBuildInfoFile', join(kept, 'types.json')],
  },
]

/** Runs all checks and prints their results; returns how many passed and failed. */
export async function lint() {
  const results = await Promise.all(CHECKS.map(check))
  return { passed: results.filter(ok => ok).length, failed: results.filter(ok => !ok).length }
}

async function check({ name, program, args, remedy }) {
  const started = Date.now()
  const { code, output } = await collect(join(root, 'node_modules', program), args)
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  const ok = code === 0
  const hint = !ok && remedy ? ` (${remedy})` : ''
  process.stdout.write(`${ok ? '✔' : '✖'} ${name} ${seconds} s${hint}\n`)
  if (output.trim()) process.stdout.write(`${output.trimEnd()}\n`)
  return ok
}

function collect(program, args) {
  const child = spawn(process.execPath, [program, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8')
    stream.on('data', text => (output += text))
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => resolve({ code, output }))
  })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await asCommand(async () => {
    await setUp({ dev: true })
    return (await lint()).failed > 0 ? 1 : 0
  })
}
