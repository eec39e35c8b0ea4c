import { Fault } from '../../fault/fault.js'

/** One thing that this machine should have or allow. */
export interface Check {
  name: string
  /** Whether work is impossible without it; otherwise its absence is a warning. */
  needed: boolean
  check(): Promise<Finding>
}

export interface Finding {
  ok: boolean
  /** What is there, in a few words; also when all is well. */
  seen: string
  /** What to do about it: a command where there is one. */
  remedy?: string
}

export type Diagnosis = Omit<Check, 'check'> & Finding

/** Makes all checks, side by side, in their order. One that throws has failed: its error is what was seen. */
export async function diagnose(checks: readonly Check[]): Promise<Diagnosis[]> {
  return Promise.all(
    checks.map(async each => ({
      name: each.name,
      needed: each.needed,
      ...(await each.check().catch(asFinding)),
    })),
  )
}

function asFinding(thrown: unknown): Finding {
  const fault = Fault.wrap(thrown)
  return { ok: false, seen: fault.seen, remedy: fault.next }
}
