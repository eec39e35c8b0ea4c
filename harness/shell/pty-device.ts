import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Channel } from '../channel/channel.js'
import { connectUnix } from '../channel/unix-socket.js'
import { RecordingReader } from '../console/reader.js'
import { Recording } from '../console/recording.js'
import { spawnTied } from '../process/tied.js'
import type { ShellPort } from './port.js'

export interface PtyDevice extends AsyncDisposable {
  port: ShellPort
  recording: Recording
  /** Ends the program, as a power-off would. */
  kill(): void
}

/**
 * A program on a real pseudo-terminal, recorded like a board's console: what tests and measurements of the shell talk
 * to. Needs `socat`.
 *
 * @param program as socat's EXEC takes it, e.g. `dash -i`
 * @param through puts something between the terminal and the recording, e.g. noise
 */
export async function ptyDevice(
  program: string,
  through: (channel: Channel) => Channel = channel => channel,
  env: NodeJS.ProcessEnv = {},
): Promise<PtyDevice> {
  const folder = mkdtempSync(join(tmpdir(), 'bw-pty-'))
  const socket = join(folder, 'console')
  const child = spawnTied(
    'socat',
    ['-dd', '-b65536', `UNIX-LISTEN:${socket}`, `EXEC:${program},pty,stderr,setsid,ctty`],
    {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { PATH: process.env['PATH'], TERM: 'vt100', HOME: folder, ...env },
    },
  )
  const exited = once(child, 'exit')
  const listens = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.stderr!.on('data', (text: Buffer) => text.includes('listening on') && resolve())
    child.once('exit', () => reject(new Error('socat ended before it listened: is it installed?')))
  })
  await listens.catch((error: unknown) => {
    rmSync(folder, { recursive: true })
    throw error
  })
  const channel = through(await connectUnix(socket, { timeout: 2000 }))
  const recording = Recording.create(join(folder, 'recording'))
  recording.attach(channel)
  const reader = new RecordingReader(recording.folder, recording)
  return {
    port: { reader, write: bytes => channel.write(bytes) },
    recording,
    kill: () => child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      await channel.close()
      child.kill('SIGTERM')
      await exited
      // Children that outlive the terminal would hold this pipe, and the process that reads it.
      child.stderr!.destroy()
      endThoseAtHome(folder)
      // A loop whose terminal is torn away may be killed before it removes its folder, which here is on the host.
      for (const [, key] of reader
        .readBytes(0, reader.length)
        .toString('latin1')
        .matchAll(/~([a-z]{5})ready~/g)) {
        rmSync(`/run/.${key}`, { recursive: true, force: true })
      }
      recording.close()
      reader[Symbol.dispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** A child that was forked as the terminal went may have missed the signal. */
function endThoseAtHome(home: string): void {
  for (const pid of readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      if (environment.includes(`HOME=${home}`)) process.kill(Number(pid), 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}
