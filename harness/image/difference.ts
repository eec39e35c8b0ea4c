import type { Manifest } from './manifest.js'

/** One thing that two images have not alike; `before` or `after` is undefined where only the other has it. */
export interface Difference {
  kind: 'package' | 'file' | 'tool' | 'artefact' | 'declared'
  name: string
  before: string | undefined
  after: string | undefined
}

/** What two images differ in: what went in, what came out, and what is promised. Empty when they are the same. */
export function differences(before: Manifest, after: Manifest): Difference[] {
  const [a, b] = [named(before), named(after)]
  return [...new Set([...a.keys(), ...b.keys()])].flatMap(key => {
    const [was, is] = [a.get(key), b.get(key)]
    if (was?.value === is?.value) return []
    const { kind, name } = (was ?? is)!
    return [{ kind, name, before: was?.shown, after: is?.shown }]
  })
}

interface Named {
  kind: Difference['kind']
  name: string
  /** By which it is compared, and what a person is shown of it. */
  value: string
  shown: string
}

function named({ inputs, artefacts, ...declared }: Manifest): Map<string, Named> {
  const things: Named[] = inputs.map(input => {
    switch (input.kind) {
      case 'package': {
        const { kind, name, arch, version, sha256 } = input
        return { kind, name: `${name}:${arch}`, value: `${version} ${sha256}`, shown: version }
      }
      case 'file':
        return { kind: input.kind, name: input.path, value: input.sha256, shown: input.sha256.slice(0, 12) }
      case 'tool':
        return { kind: input.kind, name: input.name, value: input.version, shown: input.version }
    }
  })
  for (const { file, size, sha256 } of artefacts) {
    things.push({
      kind: 'artefact',
      name: file,
      value: sha256,
      shown: `${sha256.slice(0, 12)}, ${size} bytes`,
    })
  }
  for (const [name, value] of Object.entries(declared)) {
    // The key follows from all the others.
    if (name === 'key' || name === 'schema') continue
    const text = JSON.stringify(value)
    things.push({ kind: 'declared', name, value: text, shown: text })
  }
  return new Map(things.map(thing => [`${thing.kind} ${thing.name}`, thing]))
}
