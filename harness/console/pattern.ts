import { Fault } from '../fault/fault.js'

/** What to wait for: a literal text or a regular expression. */
export type Pattern = string | RegExp

/** A pattern in the form in which bytes are searched: text with one character per byte (latin1). */
export type BytePattern =
  { kind: 'literal'; bytes: string; source: Pattern } | { kind: 'regexp'; regexp: RegExp; source: Pattern }

/** UTF-8 bytes, one character each. */
export function toBytes(text: string): string {
  return Buffer.from(text).toString('latin1')
}

/** The text that such bytes spell. */
export function fromBytes(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString()
}

/**
 * Makes a pattern fit to search bytes, so that offsets are exact. A regular expression sees one character per byte:
 * `.` is one byte, `\xHH` a byte; a character beyond ASCII, literal or `\uHHHH`, stands for its UTF-8 bytes.
 * The start of the searched text is where the cursor stands, for `^` too; `$` without `m` is the end of what has come.
 *
 * @throws Fault `console.pattern.unsupported`: a character beyond ASCII in a class or with the flag `i`, `\p{}`, flag
 *   `v`; an empty literal
 */
export function compile(pattern: Pattern): BytePattern {
  if (typeof pattern === 'string') {
    if (pattern === '') throw unsupported(pattern, 'an empty text is everywhere')
    return { kind: 'literal', bytes: toBytes(pattern), source: pattern }
  }
  if (pattern.flags.includes('v'))
    throw unsupported(pattern, 'the flag v works on characters, a console has bytes')
  const flags = `g${['i', 'm', 's'].filter(flag => pattern.flags.includes(flag)).join('')}`
  return { kind: 'regexp', regexp: new RegExp(byteSource(pattern), flags), source: pattern }
}

// One element of a regular expression's source: an escape, a class's bracket, or a character.
const ELEMENT = /\\u\{([0-9a-f]+)\}|\\u([0-9a-f]{4})|\\([^])|([^\\])/giu

function byteSource(pattern: RegExp): string {
  let inClass = false
  // A surrogate pair may be written as two escapes; joined first, they are one character.
  const source = pattern.source.replace(/\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})/gi, (_, high, low) =>
    String.fromCharCode(parseInt(high as string, 16), parseInt(low as string, 16)),
  )
  return source.replace(ELEMENT, (element: string, braced?: string, hex?: string, escaped?: string) => {
    if (escaped !== undefined) {
      if ((escaped === 'p' || escaped === 'P') && pattern.unicode)
        throw unsupported(pattern, '\\p{} has no bytes')
      // JavaScript's white space holds 0xa0, which is half of many a UTF-8 character.
      if (escaped === 's') return inClass ? '\\t-\\r ' : '[\\t-\\r ]'
      if (escaped === 'S' && !inClass) return '[^\\t-\\r ]'
      if (escaped.codePointAt(0)! < 0x80) return element
    }
    const code = braced ?? hex
    const character = code ? String.fromCodePoint(parseInt(code, 16)) : (escaped ?? element)
    if (character.codePointAt(0)! < 0x80) {
      if (element === '[') inClass = true
      if (element === ']') inClass = false
      return code ? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}` : element
    }
    if (inClass) throw unsupported(pattern, `"${character}" in a class is several bytes; use (?:a|b)`)
    if (pattern.ignoreCase) throw unsupported(pattern, `"${character}" with the flag i; write both cases`)
    const bytes = [...Buffer.from(character)].map(byte => `\\x${byte.toString(16)}`)
    return `(?:${bytes.join('')})`
  })
}

function unsupported(pattern: Pattern, why: string): Fault {
  return new Fault({
    code: 'console.pattern.unsupported',
    culprit: 'test',
    expected: 'a pattern that can be searched in bytes',
    seen: `${showPattern(pattern)}: ${why}`,
    next: 'write the pattern without it',
  })
}

export function showPattern(pattern: Pattern): string {
  return typeof pattern === 'string' ? JSON.stringify(pattern) : String(pattern)
}
