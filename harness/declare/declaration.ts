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
  const problems = checked.error.issues.flatMap(issue => explain(issue, document, schema))
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

function explain(issue: core.$ZodIssue, document: Document, schema: z.ZodType): Problem[] {
  const path = issue.path.filter(p => typeof p !== 'symbol')
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map(key => ({
      field: [...path, key].join('.'),
      offset: offsetOfKey(document, path, key),
      expected: 'a known key',
      seen: `unknown key "${key}"`,
      next: suggestion(key, keysAt(schema, path)),
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

function suggestion(key: string, known: readonly string[]): string {
  const near = nearest(key, known)
  if (near) return `did you mean "${near}"?`
  return known.length ? `allowed here: ${known.join(', ')}` : 'remove it'
}

/** The part of zod's own description of a schema that leads to the keys of an object somewhere inside it. */
interface Definition {
  shape?: Record<string, unknown>
  element?: unknown
  valueType?: unknown
  innerType?: unknown
  in?: unknown
  options?: unknown[]
}

/** Keys that `schema` allows in the object at `path`: zod's issue names only those that it refused. */
function keysAt(schema: unknown, path: readonly (string | number)[]): string[] {
  const definition = (schema as { _zod?: { def?: Definition } } | undefined)?._zod?.def
  if (!definition) return []
  if (definition.options) return [...new Set(definition.options.flatMap(option => keysAt(option, path)))]
  const wrapped = definition.innerType ?? definition.in
  if (wrapped) return keysAt(wrapped, path)
  const [step, ...rest] = path
  if (step === undefined) return Object.keys(definition.shape ?? {})
  return keysAt(definition.shape?.[step] ?? definition.element ?? definition.valueType, rest)
}

function expectation(issue: core.$ZodIssue): string {
  if (issue.code === 'invalid_value') return `one of: ${issue.values.map(String).join(', ')}`
  if (issue.code === 'invalid_type')
    return `${/^[aeiou]/.test(issue.expected) ? 'an' : 'a'} ${issue.expected}`
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
  const items = (map as { items?: { key?: { value?: unknown; range?: [number, number, number] } }[] } | null)
    ?.items
  return items?.find(item => item.key?.value === key)?.key?.range?.[0] ?? offsetOf(document, path)
}

function shown(file: string): string {
  const path = relative(process.cwd(), file)
  return path.startsWith('..') ? file : path
}
