import type { Culprit } from './fault.js'

/** Exit codes of every command. Worse is greater, so that the worst of several is their maximum. */
export const EXIT = {
  passed: 0,
  product: 1,
  usage: 2,
  lab: 3,
  harness: 4,
  test: 5,
  nothingRan: 6,
  noBoard: 7,
  interrupted: 130,
} as const

/** The exit code of a failure laid on `culprit`. An undecided one counts as the product's until shown otherwise. */
export function exitCodeOf(culprit: Culprit): number {
  return culprit === 'undecided' ? EXIT.product : EXIT[culprit]
}

export function worst(codes: Iterable<number>): number {
  return Math.max(EXIT.passed, ...codes)
}
