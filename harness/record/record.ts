import { z } from 'zod'

/** Version of the record's layout. */
export const RECORD_SCHEMA = 'bootwright.record/1'

export const culprit = z.enum(['product', 'test', 'lab', 'harness', 'undecided', 'usage'])

export const faultJson = z.object({
  id: z.string(),
  code: z.string(),
  culprit,
  expected: z.string(),
  seen: z.string(),
  next: z.string(),
  where: z.string().optional(),
  evidence: z.array(z.string()).readonly().optional(),
})

/** A range of a console recording: bytes `from` (inclusive) to `to` (exclusive) of `<folder>/console.log`. */
export const consoleRange = z.object({ folder: z.string(), from: z.number(), to: z.number() })
export type ConsoleRange = z.infer<typeof consoleRange>

export const finding = z.object({
  code: z.string(),
  severity: z.enum(['soft', 'hard', 'fatal']),
  culprit,
  line: z.string(),
  /** Byte offset of the line in the recording. */
  offset: z.number(),
  /** Epoch ms. */
  at: z.number(),
})
export type Finding = z.infer<typeof finding>

export const stage = z.object({ name: z.string(), offset: z.number(), at: z.number() })
export type Stage = z.infer<typeof stage>

export const boot = z.object({
  ordinal: z.number(),
  /** `restore`: no boot, but back to a saved state of one. */
  cause: z.enum(['power-on', 'reset', 'restore']),
  /** Epoch ms. */
  startedAt: z.number(),
  from: z.number(),
  stages: z.array(stage),
  end: z.enum(['poweroff', 'reset', 'power-cut', 'panic', 'lost', 'restore']).optional(),
})
export type Boot = z.infer<typeof boot>

export const device = z.object({
  /** Unique in the run: the project's name, with a number from the second on that is used at the same time. */
  name: z.string(),
  project: z.string(),
  board: z.string(),
  boardClass: z.string(),
  /** What the board says of itself: QEMU version, accelerator, memory. */
  facts: z.record(z.string(), z.unknown()),
  /** Folder of the recording, relative to the run folder. */
  console: z.string(),
  boots: z.array(boot),
  findings: z.array(finding),
})
export type Device = z.infer<typeof device>

export const verdict = z.object({
  verdict: z.enum(['pass', 'fail', 'error', 'miss', 'skip']),
  culprit: culprit.optional(),
  /** Stable code of what went wrong, or why it was not run. */
  code: z.string().optional(),
  /** Name of the rule that decided (record/verdict.ts). */
  rule: z.string(),
  message: z.string().optional(),
  /** Last boot stage that the device had reached. */
  stage: z.string().optional(),
})
export type Verdict = z.infer<typeof verdict>

export const isolation = z.enum(['shared', 'fresh', 'rebooted', 'power-cycled', 'reflashed'])
export type Isolation = z.infer<typeof isolation>

/** How a device was made ready for a test: what was asked for, what was really done, and how long it took, in ms. */
export const prepared = z.object({ isolation, done: z.string(), ms: z.number() })
export type Prepared = z.infer<typeof prepared>

export const attempt = z.object({
  verdict,
  startedAt: z.number(),
  /** Milliseconds. */
  duration: z.number(),
  console: consoleRange.optional(),
  prepared: prepared.optional(),
  faults: z.array(z.string()),
})
export type Attempt = z.infer<typeof attempt>

export const testRecord = z.object({
  id: z.string(),
  project: z.string(),
  file: z.string(),
  line: z.number(),
  /** Titles from the outermost group to the test. */
  title: z.array(z.string()),
  tags: z.array(z.string()),
  attempts: z.array(attempt).min(1),
})
export type TestRecord = z.infer<typeof testRecord>

export const runRecord = z.object({
  schema: z.literal(RECORD_SCHEMA),
  run: z.string(),
  harness: z.string(),
  git: z.object({ revision: z.string(), dirty: z.boolean() }).optional(),
  commandLine: z.array(z.string()),
  seed: z.number(),
  startedAt: z.number(),
  endedAt: z.number(),
  interrupted: z.boolean(),
  exitCode: z.number(),
  images: z.array(
    z.object({
      image: z.string(),
      variant: z.string().optional(),
      arch: z.string(),
      key: z.string(),
      artefacts: z.array(z.object({ file: z.string(), size: z.number(), sha256: z.string() })),
    }),
  ),
  devices: z.array(device),
  faults: z.array(faultJson),
  tests: z.array(testRecord),
})
export type RunRecord = z.infer<typeof runRecord>

/** The attempt that counts: the last one. */
export function lastAttempt(test: TestRecord): Attempt {
  return test.attempts[test.attempts.length - 1]!
}
