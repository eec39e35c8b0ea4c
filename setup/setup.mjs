// Makes a fresh clone ready to use, and a ready one stay so. Runs before anything is installed: Node's own modules only.
import { fileURLToPath } from 'node:url'
import { buildIsCurrent, buildAll } from './build.mjs'
import { commandIsLinked, linkCommand } from './command.mjs'
import { dependenciesAreCurrent, installDependencies } from './dependencies.mjs'
import { asCommand, SetupFailure } from './failure.mjs'
import { alone } from './lock.mjs'
import { installPackages, missingPackages } from './packages.mjs'

const OLDEST_NODE = [20, 19]

/**
 * Does whatever set-up is still to be done; silent when there is nothing. Each step looks at what is there rather
 * than at a note that it once ran, so one that was interrupted is done again.
 *
 * @param {{ dev: boolean }} options dev: also what only the tests need
 * @throws SetupFailure with what to do, when a step cannot be done
 */
export async function setUp({ dev }) {
  checkNode(process.versions.node)
  const steps = [
    { isDone: () => missingPackages({ dev }).length === 0, run: () => installPackages({ dev }) },
    { isDone: dependenciesAreCurrent, run: installDependencies },
    { isDone: buildIsCurrent, run: buildAll },
    { isDone: commandIsLinked, run: linkCommand },
  ]
  if (steps.every(step => step.isDone())) return
  await alone(async () => {
    for (const step of steps) if (!step.isDone()) await step.run()
  })
}

export function checkNode(version) {
  const [major, minor] = version.split('.').map(Number)
  const [wantedMajor, wantedMinor] = OLDEST_NODE
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return
  throw new SetupFailure(
    `Node.js ${OLDEST_NODE.join('.')} or newer is needed; this is ${version}. Install a newer one from https://nodejs.org`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await asCommand(() => setUp({ dev: process.argv.includes('--dev') }))
}
