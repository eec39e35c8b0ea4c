import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { GrowthSource } from './growth.js'
import { LOG_FILE } from './recording.js'

/** The growth of a recording that grows no more, e.g. in a report. */
export function finished(folder: string): GrowthSource {
  const { size } = statSync(join(folder, LOG_FILE))
  return { length: () => size, onGrow: () => () => {}, ended: () => 'the recording is finished' }
}
