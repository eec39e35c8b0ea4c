import type { RecordingReader } from '../console/reader.js'

/** A line to a shell: what comes is read from its recording, what goes out is written here. */
export interface ShellPort {
  readonly reader: RecordingReader
  /** Resolves when the bytes are handed over. @throws Fault when the line is gone */
  write(bytes: Uint8Array): Promise<void>
}
