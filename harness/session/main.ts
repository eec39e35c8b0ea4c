import { rmSync, unlinkSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { isAlive } from '../process/identity.js'
import { makeSessionFolder, socketIn } from './place.js'
import { Session } from './session.js'

/** How often the runner is looked for. Nothing tells an unrelated process that another one has ended. */
const RUNNER_CHECK_MS = 250
/** A session that nobody is attached to for so long ends (an editor's test server lives for days). */
const IDLE_MS = Number(process.env['BOOTWRIGHT_SESSION_IDLE_MS'] ?? 10 * 60_000)

const [pid, start] = process.argv.slice(2)
if (!pid || !start) throw new Error('usage: main.js <runner pid> <runner start time>')
const runner = { pid: Number(pid), start }
const folder = makeSessionFolder(runner)
const path = socketIn(folder)

const session = new Session(reason => void end(reason))
const server = createServer(socket => session.serve(socket))

let ending: Promise<void> | undefined
function end(reason: string): Promise<void> {
  ending ??= (async () => {
    console.error(`${new Date().toISOString()} session ends: ${reason}`)
    clearInterval(watch)
    server.close()
    await session.close(reason)
    rmSync(folder, { recursive: true, force: true })
    process.exit(0)
  })()
  return ending
}

let idleSince = Date.now()
const watch = setInterval(() => {
  if (session.attached > 0) idleSince = Date.now()
  if (!isAlive(runner)) void end('the runner has ended')
  else if (Date.now() - idleSince > IDLE_MS) void end('nobody has used it for long')
}, RUNNER_CHECK_MS)

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => void end(signal))

// Whatever goes wrong in here, the boards go off.
process.on('uncaughtException', error => {
  console.error(error)
  void end('an error of its own')
})
process.on('unhandledRejection', error => {
  console.error(error)
  void end('an error of its own')
})

server.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') throw error
  const other = connect(path)
  other.once('connect', () => {
    process.stdout.write('another session listens already\n')
    process.exit(0)
  })
  other.once('error', () => {
    unlinkSync(path)
    server.listen(path)
  })
})
server.listen(path, () => process.stdout.write('listening\n'))
