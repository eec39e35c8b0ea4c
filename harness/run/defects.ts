import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { EXIT, exitCodeOf } from '../fault/exit.js'
import { Fault } from '../fault/fault.js'
import { loadImage } from '../image/declarations.js'
import { defectNames, loadDefect, type Defect } from '../image/defect.js'
import { lastAttempt, runRecord, type RunRecord } from '../record/record.js'
import { makePlan } from './plan.js'
import { RESULTS } from './results.js'
import { runPlan } from './run.js'
import { escaped } from './selection.js'
import { selectSuites } from './suite.js'

export interface DefectsRequest {
  root: string
  suite: string
  /** Instead of those the suite names. */
  images?: readonly string[]
  /** Only these defects. */
  only?: readonly string[]
  accel: 'auto' | 'kvm' | 'tcg'
  signal: AbortSignal
  tell(line: string): void
}

export interface DefectResult {
  image: string
  defect: string
  caught: boolean
  /** The test that was meant to fail, and what became of it. */
  test: string
  seen: string
  seconds: number
}

export interface DefectsReport {
  caught: number
  total: number
  missed: DefectResult[]
  results: DefectResult[]
}

/**
 * Proves that a suite can fail: runs it on images that are each wrong in one way, and sees whether the intended test says so,
 * as a failure of the product.
 */
export async function runDefects(request: DefectsRequest): Promise<DefectsReport> {
  const results: DefectResult[] = []
  const todo = defectsOf(request)
  for (const [index, { image, defect }] of todo.entries()) {
    request.signal.throwIfAborted()
    request.tell(`[${index + 1}/${todo.length}] ${image} ${defect.name}: ${defect.defect}`)
    const result = await tryDefect(request, image, defect)
    results.push(result)
    request.tell(`  ${result.caught ? 'caught' : 'MISSED'} in ${result.seconds.toFixed(0)} s: ${result.seen}`)
  }
  const missed = results.filter(result => !result.caught)
  return { caught: results.length - missed.length, total: results.length, missed, results }
}

function defectsOf({
  root,
  suite: asked,
  images,
  only,
}: DefectsRequest): { image: string; defect: Defect }[] {
  const suites = selectSuites(root, [asked])
  const names = images?.length ? images : suites.flatMap(({ suite }) => suite.images)
  const own = suites.map(({ suite }) => suite.name)
  const found = names.flatMap(image => {
    const { folder } = loadImage(root, image)
    const known = defectNames(folder)
    for (const name of only ?? []) loadDefect(folder, name)
    return known
      .filter(name => !only?.length || only.includes(name))
      .map(name => ({ image, defect: loadDefect(folder, name) }))
      .filter(({ defect }) => own.includes(defect.caughtBy.suite))
  })
  if (found.length > 0) return found
  throw new Fault({
    code: 'usage.defects.none',
    culprit: 'usage',
    expected: `seeded defects in images/${names[0] ?? ''}/defects/ that ${asked} is to catch`,
    seen: 'there are none',
    next: 'seed one for each assertion of the suite',
  })
}

async function tryDefect(request: DefectsRequest, image: string, defect: Defect): Promise<DefectResult> {
  const started = Date.now()
  const plan = makePlan({
    root: request.root,
    select: [request.suite],
    images: [image],
    variant: defect.name,
    // Titles are words, but may hold what means something in an expression.
    title: escaped(defect.caughtBy.test),
    accel: request.accel,
    commandLine: process.argv.slice(2),
  })
  const base = { image, defect: defect.name, test: defect.caughtBy.test }
  const code = await runPlan(plan, { tell: () => {}, signal: request.signal, quiet: true }).catch(faultCode)
  const outcome = code === EXIT.interrupted ? undefined : judge(readRecord(plan.runFolder), defect)
  request.signal.throwIfAborted()
  return {
    ...base,
    ...(outcome ?? { caught: false, seen: `the run ended with exit code ${code}` }),
    seconds: (Date.now() - started) / 1000,
  }
}

function judge(
  record: RunRecord | undefined,
  { caughtBy }: Defect,
): { caught: boolean; seen: string } | undefined {
  const tests = record?.tests.filter(test => test.title.join(' ').includes(caughtBy.test))
  if (!tests?.length) return { caught: false, seen: 'the intended test did not run' }
  const message = caughtBy.message === undefined ? undefined : new RegExp(caughtBy.message, 's')
  const failed = tests.find(test => lastAttempt(test).verdict.verdict === 'fail')
  if (!failed) {
    const { verdict } = lastAttempt(tests[0]!)
    return {
      caught: false,
      seen: `the intended test: ${verdict.verdict}${verdict.message ? `, ${firstLine(verdict.message)}` : ''}`,
    }
  }
  const { verdict } = lastAttempt(failed)
  const said = verdict.message ?? ''
  if (message && !message.test(said)) {
    return { caught: false, seen: `it failed for another reason: ${firstLine(said)}` }
  }
  return { caught: true, seen: `${verdict.code ?? ''}: ${firstLine(said)}` }
}

function readRecord(runFolder: string): RunRecord | undefined {
  try {
    return runRecord.parse(JSON.parse(readFileSync(join(runFolder, RESULTS.record), 'utf8')))
  } catch {
    return undefined
  }
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find(line => line.trim() !== '')
      ?.trim() ?? ''
  )
}

function faultCode(error: unknown): number {
  if (error instanceof Fault) return exitCodeOf(error.culprit)
  throw error
}
