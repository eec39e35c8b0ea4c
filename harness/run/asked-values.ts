import { Fault } from '../fault/fault.js'

/** @throws Fault `usage.title.invalid` */
export function checkTitle(title = ''): void {
  try {
    new RegExp(title)
  } catch (error) {
    throw new Fault({
      code: 'usage.title.invalid',
      culprit: 'usage',
      expected: 'a regular expression after --title',
      seen: (error as Error).message,
      next: 'write a backslash before a character that is meant as it stands, such as ( or ?',
      cause: error,
    })
  }
}

/** @throws Fault `usage.boot-timeout.invalid` */
export function checkBootTimeout(seconds = 1): void {
  if (seconds > 0 && seconds < 2 ** 31 / 1000) return
  throw invalid('boot-timeout', seconds, 'seconds after --boot-timeout, more than 0')
}

/** @throws Fault `usage.workers.invalid` */
export function checkWorkers(workers = 1): void {
  if (Number.isInteger(workers) && workers > 0 && workers <= 64) return
  throw invalid(
    'workers',
    workers,
    'how many devices may run at once after --workers: a whole number, 1 to 64',
  )
}

function invalid(option: string, value: number, expected: string): Fault {
  return new Fault({
    code: `usage.${option}.invalid`,
    culprit: 'usage',
    expected,
    seen: Number.isNaN(value) ? 'no number' : String(value),
    next: 'write a number, or leave it out',
  })
}
