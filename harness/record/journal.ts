import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import type { FaultJson } from '../fault/fault.js'
import type { Boot, Device, Finding } from './record.js'

/** What happened in a run, in order, written down the moment it happens. `at` is epoch ms. */
export type JournalEntry =
  | { type: 'image'; image: string; variant?: string; arch: string; key: string; artefacts: ImageArtefact[] }
  | {
      type: 'device'
      /** Name of the device, unique in the run. */
      device: string
      project: string
      board: string
      boardClass: string
      console: string
      facts: Record<string, unknown>
    }
  | { type: 'boot'; device: string; ordinal: number; cause: Boot['cause']; at: number; from: number }
  | { type: 'stage'; device: string; name: string; offset: number; at: number }
  | ({ type: 'finding'; device: string } & Finding)
  | { type: 'boot-end'; device: string; end: NonNullable<Boot['end']>; at: number }
  | { type: 'fault'; fault: FaultJson; at: number; test?: string }
  | { type: 'note'; text: string; at: number }

/** Name of the journal in a run folder. */
export const JOURNAL = 'journal.jsonl'

interface ImageArtefact {
  file: string
  size: number
  sha256: string
}

/**
 * Appends entries to a file of JSON lines. Entries are few and small: each is written through at once, in one write, so
 * that the session and the test workers can share a journal.
 */
export class Journal {
  constructor(private readonly file: string) {}

  write(entry: JournalEntry): void {
    appendFileSync(this.file, `${JSON.stringify(entry)}\n`)
  }
}

/** All entries of a journal; a last line that was cut by a crash is left out. */
export function readJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map(line => JSON.parse(line) as JournalEntry)
}

/**
 * The devices of a run with their boots and findings, as its journal tells them. A name comes a second time when its
 * session was killed and another took over.
 */
export function devicesOf(entries: readonly JournalEntry[]): Device[] {
  const devices: Device[] = []
  for (const entry of entries) {
    if (entry.type === 'device') {
      const { type: _, device: name, ...rest } = entry
      devices.push({ name, ...rest, boots: [], findings: [] })
      continue
    }
    const device = 'device' in entry ? devices.findLast(({ name }) => name === entry.device) : undefined
    if (!device) continue
    const last = device.boots.at(-1)
    if (entry.type === 'boot') {
      const { ordinal, cause, at, from } = entry
      device.boots.push({ ordinal, cause, startedAt: at, from, stages: [] })
    } else if (entry.type === 'stage') {
      last?.stages.push({ name: entry.name, offset: entry.offset, at: entry.at })
    } else if (entry.type === 'boot-end') {
      if (last) last.end = entry.end
    } else if (entry.type === 'finding') {
      const { type: _, device: __, ...finding } = entry
      device.findings.push(finding)
    }
  }
  return devices
}
