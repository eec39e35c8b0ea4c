import { join } from 'node:path'
import { EXIT } from '../fault/exit.js'
import { buildImage, cachedImage } from '../image/build.js'
import { spawnTied } from '../process/tied.js'
import { planEnvironment } from './current-plan.js'
import { mayHaveTests } from './list-tests.js'
import type { Plan, ProjectPlan } from './plan.js'
import { playwrightCli } from './playwright.js'
import { checkHost, checkImage } from './preflight.js'

export interface RunOutlet {
  /** A line of progress for a person. */
  tell(line: string): void
  signal: AbortSignal
  /** Keep what the runner prints to ourselves. */
  quiet?: boolean
}

/** One straight line: check, build, run the tests (whose reporter writes the record), and return the exit code. */
export async function runPlan(plan: Plan, outlet: RunOutlet): Promise<number> {
  await checkHost(plan)
  // Without a test to run, no image is needed. The runner finds that again, and tells it.
  if (imagesAreCached(plan) || (await mayHaveTests(plan, outlet.signal))) {
    for (const project of plan.projects) checkImage(project, await build(plan, project, outlet))
  }
  return runTests(plan, outlet)
}

function imagesAreCached(plan: Plan): boolean {
  return plan.projects.every(project => cachedImage(imageOf(plan, project)) !== undefined)
}

function imageOf({ root }: Plan, { image, boards }: ProjectPlan) {
  return {
    root,
    name: image.name,
    arch: boards[0]!.declaration.arch,
    ...(image.variant !== undefined && { variant: image.variant }),
  }
}

async function build(plan: Plan, project: ProjectPlan, { tell, signal }: RunOutlet) {
  const image = imageOf(plan, project)
  const started = Date.now()
  let worked = false
  const artefacts = await buildImage({
    ...image,
    signal,
    onProgress: ({ step }) => {
      worked = true
      tell(`  ${step}`)
    },
  })
  const how = worked ? `built in ${((Date.now() - started) / 1000).toFixed(1)} s` : 'from the cache'
  tell(`image ${image.name} (${image.arch}): ${how}`)
  return artefacts
}

/** Runs Playwright Test in a process of its own. Ctrl-C reaches it too: it ends in order, and we wait for it. */
async function runTests(plan: Plan, { quiet }: RunOutlet): Promise<number> {
  const child = spawnTied(
    process.execPath,
    // That nothing ran is for the reporter to say.
    [playwrightCli(), 'test', '--pass-with-no-tests', '--config', join(plan.root, 'playwright.config.ts')],
    {
      cwd: plan.root,
      stdio: quiet ? 'ignore' : 'inherit',
      env: { ...process.env, ...planEnvironment(plan) },
      // Should we be killed, it is as if Ctrl-C had been pressed: boards off, record written.
      deathSignal: 'INT',
    },
  )
  const stay = () => {}
  const pass = () => child.kill('SIGTERM')
  process.on('SIGINT', stay)
  process.on('SIGTERM', pass)
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        resolve(code ?? (signal === 'SIGINT' ? EXIT.interrupted : EXIT.harness)),
      )
    })
  } finally {
    process.off('SIGINT', stay)
    process.off('SIGTERM', pass)
  }
}
