import { join, relative } from 'node:path'
import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import { planEnvironment } from './current-plan.js'
import { unmetNeeds } from './needs.js'
import type { Plan } from './plan.js'
import { playwrightCli } from './playwright.js'

export interface ListedTest {
  project: string
  /** Relative to the repository. */
  file: string
  line: number
  title: string[]
  tags: string[]
  /** Why it would be skipped; undefined when it would run. */
  wouldNotRun?: string
}

/** The part of the JSON reporter's output that is read here. */
interface JsonSuite {
  title: string
  file: string
  suites?: JsonSuite[]
  specs: { title: string; tags: string[]; file: string; line: number; tests: { projectName: string }[] }[]
}

/** The tests that `plan` would run, as the runner finds them. @throws Fault `test.unreadable` when a file does not compile */
export async function listTests(plan: Plan, signal?: AbortSignal): Promise<ListedTest[]> {
  const args = [
    playwrightCli(),
    'test',
    '--list',
    '--reporter=json',
    '--config',
    join(plan.root, 'playwright.config.ts'),
  ]
  const result = await run(process.execPath, args, {
    cwd: plan.root,
    env: { ...process.env, ...planEnvironment(plan) },
    ...(signal && { signal }),
  })
  const listed = JSON.parse(result.stdout.toString()) as {
    config: { rootDir: string }
    suites: JsonSuite[]
    errors: { message: string }[]
  }
  const [error] = listed.errors
  if (error && !/no tests found/i.test(error.message)) {
    throw new Fault({
      code: 'test.unreadable',
      culprit: 'test',
      expected: 'test files that compile',
      seen: error.message.split('\n    at ')[0]!,
      next: 'mend the file',
    })
  }
  return listed.suites.flatMap(suite => testsOf(suite, [], plan, listed.config.rootDir))
}

/** Whether the runner may find a test of `plan` to start: not when none matches, or when a file does not compile. */
export async function mayHaveTests(plan: Plan, signal: AbortSignal): Promise<boolean> {
  try {
    return (await listTests(plan, signal)).length > 0
  } catch (error) {
    signal.throwIfAborted()
    // A list that cannot be read, because a test file prints while it is loaded, says nothing about the tests.
    return !(error instanceof Fault && error.code === 'test.unreadable')
  }
}

function testsOf(suite: JsonSuite, titles: readonly string[], plan: Plan, rootDir: string): ListedTest[] {
  const specs = suite.specs.flatMap(spec =>
    spec.tests.map(({ projectName }) => {
      const tags = spec.tags.map(tag => (tag.startsWith('@') ? tag : `@${tag}`))
      const project = plan.projects.find(({ name }) => name === projectName)
      const lacking = project && unmetNeeds(project.image, tags)
      return {
        project: projectName,
        file: relative(plan.root, join(rootDir, spec.file)),
        line: spec.line,
        title: [...titles, spec.title],
        tags,
        ...(lacking !== undefined && { wouldNotRun: lacking }),
      }
    }),
  )
  const inner = suite.suites?.flatMap(child => testsOf(child, [...titles, child.title], plan, rootDir)) ?? []
  return [...specs, ...inner]
}
