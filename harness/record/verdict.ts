import { EXIT, exitCodeOf, worst } from '../fault/exit.js'
import type { Culprit, FaultJson } from '../fault/fault.js'
import type { Finding, Verdict } from './record.js'

/** All that is known of one attempt of a test when it is judged. */
export interface AttemptFacts {
  status: 'passed' | 'failed' | 'timedOut' | 'skipped' | 'interrupted'
  expectedToFail: boolean
  /** What ended the test, first one first. `assertion`: thrown by a matcher. */
  errors: readonly { message: string; assertion: boolean; fault?: FaultJson }[]
  /** The author's own word on who is to blame if this fails. */
  declared?: Culprit
  /** Why the test did not run although its device should have been there: the fault that an earlier test carries. */
  missedFor?: FaultJson
  skipReason?: string
  /** It was meant to run, and something before it kept the run from getting to it. */
  notReached?: boolean
  /** Findings on the console while the test ran. */
  findings: readonly Finding[]
  stage?: string
}

interface Rule {
  name: string
  decide(facts: AttemptFacts): Omit<Verdict, 'rule' | 'stage'> | undefined
}

/**
 * Who is to blame, in this order (design, decision 8). The first rule that decides wins; its name is kept, so that a
 * verdict shows why it is what it is.
 */
const RULES: readonly Rule[] = [
  {
    name: 'device-missing',
    decide: ({ missedFor }) =>
      missedFor && {
        verdict: 'miss',
        culprit: missedFor.culprit,
        code: missedFor.code,
        message: `not run: ${missedFor.seen}`,
      },
  },
  {
    name: 'interrupted',
    decide: ({ status }) =>
      status === 'interrupted'
        ? { verdict: 'miss', code: 'run.interrupted', message: 'the run was interrupted' }
        : undefined,
  },
  {
    name: 'not-reached',
    decide: ({ notReached }) =>
      notReached
        ? {
            verdict: 'miss',
            code: 'test.not-reached',
            message: 'the run ended, or its group failed, before it',
          }
        : undefined,
  },
  {
    name: 'skipped',
    decide: ({ status, skipReason }) =>
      status === 'skipped'
        ? { verdict: 'skip', code: 'skip.gated', message: skipReason ?? 'skipped without a reason' }
        : undefined,
  },
  {
    name: 'passed',
    decide: ({ status, expectedToFail }) =>
      status === 'passed' && !expectedToFail ? { verdict: 'pass' } : undefined,
  },
  {
    name: 'expected-failure',
    decide: ({ status, expectedToFail }) =>
      status === 'failed' && expectedToFail ? { verdict: 'pass' } : undefined,
  },
  {
    name: 'unexpected-pass',
    decide: ({ status, expectedToFail }) =>
      status === 'passed' && expectedToFail
        ? blame('test', 'test.unexpected-pass', 'the test is declared to fail, and passed')
        : undefined,
  },
  {
    name: 'declared-by-author',
    decide: ({ declared, errors }) =>
      declared && blame(declared, errors[0]?.fault?.code ?? 'test.declared', errors[0]?.message ?? 'failed'),
  },
  {
    // It names the finding that ended the boot, and says what was waited for.
    name: 'boot-failed',
    decide: ({ errors }) => {
      const fault = errors.find(error => error.fault?.code.startsWith('boot.'))?.fault
      return fault && blame(fault.culprit, fault.code, fault.seen)
    },
  },
  {
    name: 'fatal-finding',
    decide: ({ findings }) => {
      const fatal = findings.find(finding => finding.severity === 'fatal')
      return fatal && blame(fatal.culprit, fatal.code, fatal.line)
    },
  },
  {
    name: 'fault',
    decide: ({ errors }) => {
      const fault = errors.find(error => error.fault)?.fault
      return fault && blame(fault.culprit, fault.code, fault.seen)
    },
  },
  {
    name: 'assertion',
    decide: ({ errors }) => {
      const failed = errors.find(error => error.assertion)
      return failed && blame('product', 'assertion.failed', failed.message)
    },
  },
  {
    name: 'test-timeout',
    decide: ({ status, errors }) =>
      status === 'timedOut'
        ? blame('test', 'test.timeout', errors[0]?.message ?? 'the test ran out of time')
        : undefined,
  },
  {
    name: 'thrown-by-test',
    decide: ({ errors }) => blame('test', 'test.threw', errors[0]?.message ?? 'failed without a message'),
  },
]

/** Judges one attempt. Pure: equal facts, equal verdict. */
export function judge(facts: AttemptFacts): Verdict {
  for (const rule of RULES) {
    const decided = rule.decide(facts)
    if (decided)
      return { ...decided, rule: rule.name, ...(facts.stage !== undefined && { stage: facts.stage }) }
  }
  throw new Error('the last rule always decides')
}

function blame(culprit: Culprit, code: string, message: string): Omit<Verdict, 'rule' | 'stage'> {
  // An undecided failure is the product's until something shows otherwise: it must not pass for a broken test.
  const verdict = culprit === 'product' || culprit === 'undecided' ? 'fail' : 'error'
  return { verdict, culprit, code, message }
}

/** The exit code of a whole run: the worst of its verdicts; a run in which nothing ran is never green. */
export function exitCodeOfRun(verdicts: readonly Verdict[], interrupted: boolean): number {
  const codes = verdicts
    .filter(
      verdict => verdict.verdict === 'fail' || verdict.verdict === 'error' || verdict.verdict === 'miss',
    )
    .map(verdict => (verdict.culprit ? exitCodeOf(verdict.culprit) : EXIT.nothingRan))
  const ran = verdicts.some(verdict => verdict.verdict !== 'skip' && verdict.verdict !== 'miss')
  if (!ran && codes.length === 0) codes.push(EXIT.nothingRan)
  if (interrupted) codes.push(EXIT.interrupted)
  return worst(codes)
}
