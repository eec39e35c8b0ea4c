import type { Outcome } from './protocol.js'

export type Failed = Outcome & { kind: 'failed' }

/** What did not work in a run, boots and prepared states: not tried again. The test that met it carries it, others miss. */
export class Failures {
  private readonly known = new Map<string, Failed>()

  /** Why a device of the project cannot be had in the last of `states`. */
  find(project: string, states: readonly string[]): Failed | undefined {
    for (let depth = 0; depth <= states.length; depth++) {
      const failed = this.known.get(key(project, states.slice(0, depth)))
      if (failed) return failed
    }
    return undefined
  }

  /** Returns the first failure of its kind, which is the one that counts: two devices may fail at once. */
  add(project: string, states: readonly string[], failed: Failed): Failed {
    const before = this.known.get(key(project, states))
    if (before) return before
    this.known.set(key(project, states), failed)
    return failed
  }
}

function key(project: string, states: readonly string[]): string {
  return JSON.stringify([project, ...states])
}
