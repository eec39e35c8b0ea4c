import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { FakeChannel } from '../channel/fake-channel.js'
import { RecordingReader } from './reader.js'
import { Recording } from './recording.js'

/** For tests: a recording of a channel that says what the test lets it say; gone when the test ends. */
export function fakeConsole(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'bw-console-'))
  const recording = Recording.create(join(folder, 'r'))
  const channel = new FakeChannel()
  recording.attach(channel)
  const reader = new RecordingReader(recording.folder, recording)
  t.after(() => {
    recording.close()
    reader[Symbol.dispose]()
    rmSync(folder, { recursive: true })
  })
  return { recording, channel, reader }
}
