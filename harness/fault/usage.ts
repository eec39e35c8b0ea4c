import { distance } from 'fastest-levenshtein'
import { Fault } from './fault.js'

/** The known name nearest to a mistyped one, or undefined when nothing is near. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined
  let bestDistance = Math.max(2, Math.ceil(name.length / 2)) + 1
  for (const candidate of known) {
    const d = distance(name.toLowerCase(), candidate.toLowerCase())
    if (d < bestDistance) [best, bestDistance] = [candidate, d]
  }
  return best
}

/** The fault for a name that does not exist: says which one was probably meant and which there are. */
export function unknownName(kind: string, name: string, known: readonly string[]): Fault {
  const near = nearest(name, known)
  return new Fault({
    code: `usage.${kind.replaceAll(' ', '-')}.unknown`,
    culprit: 'usage',
    expected: known.length ? `one of: ${known.join(', ')}` : `a ${kind}, but none is declared`,
    seen: `there is no ${kind} "${name}"`,
    next: near ? `did you mean "${near}"?` : 'see what there is: bootwright list',
  })
}
