import { closeSync, openSync, renameSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { finished } from '../console/finished.js'
import { RecordingReader } from '../console/reader.js'
import { transcript, utc } from '../console/transcript.js'
import { bytesOf, TIMES } from './console-text.js'
import type { Boot, Device } from './record.js'

/** Characters written at once. */
const BATCH = 256 * 1024

/** Writes the console of each boot beside its recording, with times, for people: `boot-<ordinal>.txt`. */
export function writeBootTexts(devices: readonly Device[], runFolder: string): void {
  for (const device of devices) {
    const folder = join(runFolder, device.console)
    using reader = new RecordingReader(folder, finished(folder))
    for (const [index, boot] of device.boots.entries()) {
      const range = { from: boot.from, to: device.boots[index + 1]?.from ?? reader.length }
      const file = join(folder, `boot-${boot.ordinal}.txt`)
      const draft = `${file}.${process.pid}.tmp`
      writeLines(
        draft,
        [firstLine(device, boot), `${bytesOf({ folder: device.console, ...range })}; ${TIMES}`],
        transcript(reader, range),
      )
      renameSync(draft, file)
    }
  }
}

function firstLine({ board }: Device, { ordinal, cause, startedAt, end }: Boot): string {
  return `board ${board}, boot ${ordinal}: ${cause} at ${utc(startedAt)}, end: ${end ?? 'none seen'}`
}

/** A boot may have printed more than fits in memory as text. */
function writeLines(file: string, head: readonly string[], lines: Iterable<string>): void {
  const fd = openSync(file, 'w')
  try {
    let batch = head.map(line => `${line}\n`).join('')
    for (const line of lines) {
      batch += `${line}\n`
      if (batch.length < BATCH) continue
      writeSync(fd, batch)
      batch = ''
    }
    writeSync(fd, batch)
  } finally {
    closeSync(fd)
  }
}
