import { Fault } from '../fault/fault.js'

/** Lets asynchronous jobs run one after the other, in the order they came. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #closing: Promise<void> | undefined

  /** Runs `job` after those before it, whether they failed or not. @throws Fault `board.disposed` once closed */
  take<T>(job: () => Promise<T>): Promise<T> {
    if (this.#closing) return Promise.reject(disposed())
    return this.#append(job)
  }

  /** Runs `job` as the last one. Later calls wait for the same end. */
  close(job: () => Promise<void>): Promise<void> {
    return (this.#closing ??= this.#append(job))
  }

  #append<T>(job: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(job)
    this.#last = turn.catch(() => {})
    return turn
  }
}

function disposed(): Fault {
  return new Fault({
    code: 'board.disposed',
    culprit: 'harness',
    expected: 'a board that is still ours',
    seen: 'the board was disposed of before this call',
    next: 'await all power calls before the board is given back',
  })
}
