import { join } from 'node:path'
import { finished } from '../console/finished.js'
import { RecordingReader } from '../console/reader.js'
import { LOG_FILE } from '../console/recording.js'
import { bootsIn, transcript, type RecordedBoot } from '../console/transcript.js'
import type { ConsoleRange, Device } from './record.js'

/** Lines of a console that a report carries for one test. */
const MOST_LINES = 2000

/** What the lines of a transcript begin with. */
export const TIMES = 'times are UTC, and seconds since the boot'

/** What a console printed while a test ran, for its reports. */
export interface ConsoleText {
  /** Where it stands in the run's folder. */
  reference: string
  text: string
}

/** @param range its folder is relative to the run's, as in the record */
export function consoleText(
  runFolder: string,
  devices: readonly Pick<Device, 'board' | 'console'>[],
  range: ConsoleRange,
  most = MOST_LINES,
): ConsoleText {
  const folder = join(runFolder, range.folder)
  using reader = new RecordingReader(folder, finished(folder))
  const reference = `${bootNames(bootsIn(reader, range))}, ${bytesOf(range)}`
  const board = devices.find(device => device.console === range.folder)?.board ?? 'unknown'
  const lines = range.from < range.to ? [...transcript(reader, range, most)] : ['nothing was printed']
  return { reference, text: [`board ${board}, ${reference}`, TIMES, ...lines, ''].join('\n') }
}

export function bytesOf({ folder, from, to }: ConsoleRange): string {
  return `bytes ${from} to ${to} of ${folder}/${LOG_FILE}`
}

function bootNames(boots: readonly RecordedBoot[]): string {
  const [first, last] = [boots[0]?.ordinal, boots.at(-1)?.ordinal]
  if (first === undefined) return 'before the first boot'
  return first === last ? `boot ${first}` : `boots ${first} to ${last}`
}
