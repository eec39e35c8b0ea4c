import { randomBytes } from 'node:crypto'

/** Who a fault or a verdict is laid on (design: "Who is to blame"). */
export type Culprit = 'product' | 'test' | 'lab' | 'harness' | 'undecided' | 'usage'

/** What a fault says. Every field is a sentence or less, meant for the person who has to act on it. */
export interface FaultInit {
  /** Stable, dotted, lower case: `area.thing.problem`, e.g. `boot.kernel.panic`. Never reused for another meaning. */
  code: string
  culprit: Culprit
  /** What was expected to happen. */
  expected: string
  /** What happened instead. */
  seen: string
  /** What the reader can do now. */
  next: string
  /** Where: `file:line: field` for declarations, a console range, a path. */
  where?: string
  /** Lines that prove it, oldest first. */
  evidence?: readonly string[]
  cause?: unknown
}

/** A fault in a form that survives a socket or a file. */
export interface FaultJson {
  id: string
  code: string
  culprit: Culprit
  expected: string
  seen: string
  next: string
  where?: string
  evidence?: readonly string[]
}

/**
 * An error of ours. Carries a stable code, what was expected, what was seen and the next step; its id is how a
 * report finds it again in the session's journal.
 */
export class Fault extends Error {
  readonly id: string
  readonly code: string
  readonly culprit: Culprit
  readonly expected: string
  readonly seen: string
  readonly next: string
  readonly where: string | undefined
  readonly evidence: readonly string[] | undefined

  constructor(init: FaultInit, id = `f-${randomBytes(5).toString('hex')}`) {
    super(describe(init, id), init.cause === undefined ? undefined : { cause: init.cause })
    this.name = 'Fault'
    this.id = id
    this.code = init.code
    this.culprit = init.culprit
    this.expected = init.expected
    this.seen = init.seen
    this.next = init.next
    this.where = init.where
    this.evidence = init.evidence
  }

  toJSON(): FaultJson {
    return {
      id: this.id,
      code: this.code,
      culprit: this.culprit,
      expected: this.expected,
      seen: this.seen,
      next: this.next,
      ...(this.where !== undefined && { where: this.where }),
      ...(this.evidence !== undefined && { evidence: this.evidence }),
    }
  }

  static from(json: FaultJson): Fault {
    const { id, ...init } = json
    return new Fault(init, id)
  }

  /** Any thrown value as a fault: ours stay as they are, anything else becomes a fault of the harness. */
  static wrap(
    thrown: unknown,
    next = 'report this with the run folder: the harness should not throw it',
  ): Fault {
    if (thrown instanceof Fault) return thrown
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    return new Fault({
      code: 'harness.unexpected',
      culprit: 'harness',
      expected: 'no error inside the harness',
      seen: error.stack ?? error.message,
      next,
      cause: error,
    })
  }
}

function describe(init: FaultInit, id: string): string {
  const lines = [
    `${init.where ? `${init.where}: ` : ''}${init.seen}`,
    `  expected: ${init.expected}`,
    `  next:     ${init.next}`,
  ]
  if (init.evidence?.length) lines.push('  evidence:', ...init.evidence.map(line => `    | ${line}`))
  lines.push(`  [${init.code}; ${init.culprit}; ${id}]`)
  return lines.join('\n')
}
