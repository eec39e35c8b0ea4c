import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { LineCounter, parseDocument, type Document } from 'yaml'
import type { core, z } from 'zod'
import { Fault } from '../fault/fault.js'
import { nearest } from '../fault/usage.js'

/**
 * Reads a YAML file and checks it against `schema`.
 *
 * @throws Fault `declare.unreadable`, `declare.syntax` or `declare.invalid`; the last one names file, line, column
 *   and field, what is allowed there and what was found. All problems of a file come in one fault.
 */
export function readDeclaration<S extends z.ZodType>(file: string, schema: S): z.output<S> {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new Fault({
      code: 'declare.unreadable',
      culprit: 'usage',
      expected: 'a readable YAML file',
      seen: `${shown(file)} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`,
      next: 'check the path and its permissions',
      cause: error,
    })
  }
  return parseDeclaration(text, file, schema)
}

/** As {@link readDeclaration}, for text that is already at hand; `file` only names it in errors. */
export function parseDeclaration<S extends z.ZodType>(text: string, file: string, schema: S): z.output<S> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const syntax = document.errors[0]
  if (syntax) {
    const at = lines.linePos(syntax.pos[0])
    throw new Fault({
      code: 'declare.syntax',
      culprit: 'usage',
      where: `${shown(file)}:${at.line}:${at.col}`,
      expected: 'well-formed YAML',
      seen: syntax.message,
      next: 'mend the line',
    })
  }
  const checked = schema.safeParse(document.toJS() ?? {})
  if (checked.success) return checked.data
  const problems = checked.error.issues.flatMap(issue => explain(issue, document))
  const [first, ...others] = problems.map(problem => {
    const at = lines.linePos(problem.offset)
    return { ...problem, where: `${shown(file)}:${at.line}:${at.col}` }
  })
  if (!first) throw new Error('a failed check without an issue')
  throw new Fault({
    code: 'declare.invalid',
    culprit: 'usage',
    where: `${first.where}: ${first.field}`,
    expected: first.expected,
    seen: first.seen,
    next: first.next,
    ...(others.length && {
      evidence: others.map(o => `${o.where}: ${o.field}: ${o.seen} (expected ${o.expected})`),
    }),
  })
}

interface Problem {
  field: string
  offset: number
  expected: string
  seen: string
  next: string
}

function explain(issue: core.$ZodIssue, document: Document): Problem[] {
  const path = issue.path.filter(p => typeof p !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      field: [...path, key].join('.'),
      offset: offsetOfKey(document, path, key),
      expected: 'a known key',
      seen: `unknown key "${key}"`,
      next: suggestion(key, issue),
    }))
  }
  const value = document.getIn(path)
  const found = value === undefined ? 'missing' : `found ${JSON.stringify(value) ?? 'nothing'}`
  return [
    {
      field: path.join('.') || '(top level)',
      offset: offsetOf(document, path),
      expected: expectation(issue),
      seen: found.length > 120 ? `${found.slice(0, 120)}...` : found,
      next: 'mend the field',
    },
  ]
}

/** zod keeps the allowed keys out of its issue; the strict objects of our schemas add them as a parameter. */
function suggestion(key: string, issue: core.$ZodIssue): string {
  const known = (issue as { params?: { known?: string[] } }).params?.known ?? knownKeysOf(issue.inst)
  const near = nearest(key, known)
  if (near) return `did you mean "${near}"?`
  return known.length ? `allowed here: ${known.join(', ')}` : 'remove it'
}

function knownKeysOf(schema: unknown): string[] {
  const shape = (schema as { _zod?: { def?: { shape?: Record<string, unknown> } } } | undefined)?._zod?.def?.shape
  return shape ? Object.keys(shape) : []
}

function expectation(issue: core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of: ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type') return `a ${issue.expected}`
  return issue.message
}

function offsetOf(document: Document, path: readonly (string | number)[]): number {
  for (let depth = path.length; depth >= 0; depth--) {
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true)
    const range = (node as { range?: [number, number, number] } | null | undefined)?.range
    if (range) return range[0]
  }
  return 0
}

function offsetOfKey(document: Document, path: readonly (string | number)[], key: string): number {
  const map = path.length === 0 ? document.contents : document.getIn(path, true)
  const items = (map as { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] } | null)?.items
  return items?.find(item => item.key?.value === key)?.key?.range?.[0] ?? offsetOf(document, path)
}

function shown(file: string): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}
