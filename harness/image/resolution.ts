import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Input } from './backend.js'
import { sha256 } from './key.js'

/** How long an answer is used before the archive is asked again, in ms. */
const AGE_LIMIT = 14 * 24 * 3600 * 1000

interface Remembered {
  at: number
  inputs: Input[]
}

/** What the archive answered to a question, so that a build asks the network once, and a cache hit not at all. */
export class Resolutions {
  constructor(private readonly folder: string) {}

  fresh(question: unknown): Input[] | undefined {
    const known = this.known(question)
    return known && Date.now() - known.at < AGE_LIMIT ? known.inputs : undefined
  }

  /** An answer of any age: better than none when the archive can't be reached. */
  any(question: unknown): Input[] | undefined {
    return this.known(question)?.inputs
  }

  remember(question: unknown, inputs: Input[]): void {
    const file = this.file(question)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.${process.pid}`, JSON.stringify({ at: Date.now(), inputs } satisfies Remembered))
    renameSync(`${file}.${process.pid}`, file)
  }

  private known(question: unknown): Remembered | undefined {
    try {
      return JSON.parse(readFileSync(this.file(question), 'utf8')) as Remembered
    } catch {
      return undefined
    }
  }

  private file(question: unknown): string {
    return join(this.folder, `${sha256(JSON.stringify(question)).slice(0, 16)}.json`)
  }
}
