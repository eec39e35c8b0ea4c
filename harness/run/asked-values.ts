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
  throw new Fault({
    code: 'usage.boot-timeout.invalid',
    culprit: 'usage',
    expected: 'seconds after --boot-timeout, more than 0',
    seen: Number.isNaN(seconds) ? 'no number' : String(seconds),
    next: 'write a number, or leave it out',
  })
}

/** @throws Fault `usage.workers.invalid` */
export function checkWorkers(workers = 1): void {
  if (Number.isInteger(workers) && workers > 0 && workers <= 64) return
  throw new Fault({
    code: 'usage.workers.invalid',
    culprit: 'usage',
    expected: 'a whole number after --workers, from 1 to 64',
    seen: Number.isNaN(workers) ? 'no number' : String(workers),
    next: 'write how many devices may run at once, or leave it out',
  })
}
