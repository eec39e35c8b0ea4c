import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FakeChannel } from '../harness/channel/fake-channel.js'
import { RecordingReader } from '../harness/console/reader.js'
import { Recording } from '../harness/console/recording.js'
import { run } from '../harness/process/run.js'
import type { Benchmark } from './benchmark.js'

const LINE = 'Jan 01 00:00:00 host systemd[1]: Started something of interest to nobody, number 00.\r\n'
const PATTERN = 'host login: '

/** Recording included: bytes come in, are written to disk with their times, and searched as they come. */
async function ours(size: number, chunk: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bw-bench-'))
  const recording = Recording.create(join(folder, 'r'))
  const channel = new FakeChannel()
  recording.attach(channel)
  const reader = new RecordingReader(recording.folder, recording)
  try {
    const bytes = Buffer.from(LINE.repeat(Math.ceil(size / LINE.length)).slice(0, size))
    const began = performance.now()
    const waiting = reader.cursor().expect([PATTERN, /Kernel panic - not syncing: .*/], { timeout: 600_000 })
    for (let at = 0; at < size; at += chunk) {
      channel.say(bytes.subarray(at, at + chunk))
      // A port delivers each read in a turn of its own.
      await new Promise(resolve => setImmediate(resolve))
    }
    channel.say(PATTERN)
    await waiting
    return (performance.now() - began) / 1000
  } finally {
    recording.close()
    reader[Symbol.dispose]()
    rmSync(folder, { recursive: true })
  }
}

const PEER = `
import sys, time, os, threading
from pexpect.fdpexpect import fdspawn
size, chunk, tuned = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == 'tuned'
line = ${JSON.stringify(LINE)}.encode()
data = (line * (size // len(line) + 1))[:size] + ${JSON.stringify(PATTERN)}.encode()
r, w = os.pipe()
def feed():
    for at in range(0, len(data), chunk):
        os.write(w, data[at:at + chunk])
threading.Thread(target=feed, daemon=True).start()
options = dict(maxread=65536, searchwindowsize=200) if tuned else dict(maxread=chunk)
child = fdspawn(r, timeout=600, **options)
began = time.monotonic()
child.expect([b'host login: ', b'Kernel panic - not syncing: .*'])
print(time.monotonic() - began)
`

async function peer(size: number, chunk: number, tuned: boolean): Promise<number | undefined> {
  const { code, stdout } = await run('python3', [
    '-c',
    PEER,
    `${size}`,
    `${chunk}`,
    tuned ? 'tuned' : 'default',
  ])
  return code === 0 ? Number(stdout.toString()) : undefined
}

function expecting(size: number, shown: string, chunk: number, tuned: boolean): Benchmark {
  return {
    name: `expect over ${shown} in reads of ${chunk}, beside pexpect ${tuned ? 'tuned' : 'as it comes'}`,
    unit: 's',
    async run() {
      const mine = await ours(size, chunk)
      const theirs = HAS_PEXPECT ? await peer(size, chunk, tuned) : undefined
      return { ours: mine, ...(theirs !== undefined && { peer: theirs }) }
    },
  }
}

const HAS_PEXPECT = spawnSync('python3', ['-c', 'import pexpect']).status === 0
const MB = 1024 * 1024

export const benchmarks: Benchmark[] = [
  expecting(10 * MB, '10 MB', 4096, false),
  expecting(10 * MB, '10 MB', 4096, true),
  expecting(25 * MB, '25 MB', 4096, true),
  expecting(500 * 1024, '500 KB', 64, false),
  expecting(500 * 1024, '500 KB', 64, true),
]
