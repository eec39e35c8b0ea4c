import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rename, rm, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import { launchQemu, type RunningQemu } from './launch.js'
import type { Machine } from './machine.js'
import { full } from './overlay.js'
import type { QmpClient } from './qmp.js'

/** What QEMU itself says of a machine's devices, in the format of its migration; and the machine's memory, sparse. */
const [DEVICES, MEMORY] = ['devices', 'memory']
/** Ms that devices take, which are some hundred KiB. */
const LIMIT = 60_000
/** Bytes that stay free beside a saved state. */
const ROOM = 64 * 1024 ** 2

/**
 * Saves a machine that stands still into `folder`: its devices, its memory and `files`, which are its disks and firmware
 * variables. Memory is not sent along with the devices (QEMU's capability `x-ignore-shared`) but copied from where QEMU has
 * it, which is several times as fast.
 *
 * @throws Fault `qemu.snapshot.refused` with QEMU's words, e.g. what device cannot be saved; `qemu.disk.full`
 */
export async function saveMachine(
  qemu: RunningQemu,
  files: readonly string[],
  folder: string,
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await checkRoom(qemu, files, folder)
  // What QEMU still held of the files is in them once its devices are saved.
  await saveDevices(qemu.qmp, folder)
  await Promise.all([
    copy(await qemu.memory(), join(folder, MEMORY)),
    ...files.map(file => copy(file, join(folder, basename(file)))),
  ])
}

/** Starts a machine that is as it was saved in `folder`, standing still. `files` are overwritten, in new files of their names. */
export async function launchSaved(
  machine: Machine,
  files: readonly string[],
  folder: string,
): Promise<RunningQemu> {
  // A QEMU that is being killed has the old ones.
  for (const file of files) {
    const fresh = `${file}.new`
    try {
      await copy(join(folder, basename(file)), fresh)
      await rename(fresh, file)
    } finally {
      await rm(fresh, { force: true })
    }
  }
  const qemu = await launchQemu(machine, { incoming: join(folder, DEVICES) })
  try {
    await copy(join(folder, MEMORY), await qemu.memory())
    await migrated(qemu.qmp, 'migrate-incoming', `fd:${qemu.incomingFd}`)
    return qemu
  } catch (error) {
    await qemu.kill()
    throw error
  }
}

async function saveDevices(qmp: QmpClient, folder: string): Promise<void> {
  // A socket's path has 107 bytes at most (unix(7)), and the folder may be deep.
  const place = await mkdtemp('/tmp/bootwright-')
  const socket = join(place, 'socket')
  const server = createServer()
  server.listen(socket)
  await once(server, 'listening')
  try {
    const received = once(server, 'connection').then(([stream]) =>
      pipeline(stream as NodeJS.ReadableStream, createWriteStream(join(folder, DEVICES))),
    )
    received.catch(() => {})
    await migrated(qmp, 'migrate', `unix:${socket}`)
    await received
  } finally {
    server.close()
    await rm(place, { recursive: true, force: true })
  }
}

/** Carries out a migration to its end (QEMU QMP Reference, "Migration"). */
async function migrated(qmp: QmpClient, command: 'migrate' | 'migrate-incoming', uri: string): Promise<void> {
  const on = { state: true }
  await qmp.execute('migrate-set-capabilities', {
    capabilities: [
      { capability: 'x-ignore-shared', ...on },
      { capability: 'events', ...on },
    ],
  })
  let stop = () => {}
  let timer: NodeJS.Timeout | undefined
  const ended = new Promise<unknown>((resolve, reject) => {
    stop = qmp.onEvent(({ event, data }) => {
      if (event === 'MIGRATION' && ['completed', 'failed', 'cancelled'].includes(String(data.status)))
        resolve(data.status)
    })
    timer = setTimeout(() => reject(refused(command, `it took more than ${LIMIT / 1000} s`)), LIMIT)
    void qmp.closed.then(() => reject(refused(command, 'QEMU ended')))
  })
  ended.catch(() => {})
  try {
    await qmp.execute(command, { uri }).catch((error: unknown) => {
      throw refused(command, error instanceof Fault ? error.seen : String(error))
    })
    const status = await ended
    if (status === 'completed') return
    const { 'error-desc': why } = await qmp.execute<{ 'error-desc'?: string }>('query-migrate')
    throw refused(command, why ?? String(status))
  } finally {
    stop()
    clearTimeout(timer)
  }
}

/** Copies what there is of a sparse file. */
async function copy(from: string, to: string): Promise<void> {
  const env = { ...process.env, LC_ALL: 'C' }
  const { code, stderr } = await run('cp', ['--sparse=auto', '--reflink=auto', from, to], { env })
  if (code === 0) return
  if (/No space left/.test(stderr)) throw full(to, 0, ROOM)
  throw refused('a copy of its files', stderr.trim())
}

/** Rather than begin what cannot be ended. @throws Fault `qemu.disk.full` */
async function checkRoom(qemu: RunningQemu, files: readonly string[], folder: string): Promise<void> {
  const { bavail, bsize } = await statfs(folder)
  const sizes = await Promise.all(
    [await qemu.memory(), ...files].map(async file => (await stat(file)).blocks * 512),
  )
  const needed = sizes.reduce((sum, size) => sum + size, ROOM)
  if (bavail * bsize < needed) throw full(folder, bavail * bsize, needed)
}

function refused(what: string, seen: string): Fault {
  return new Fault({
    code: 'qemu.snapshot.refused',
    culprit: 'harness',
    expected: `QEMU to carry out ${what}`,
    seen,
    next: 'the device is booted instead; a snapshot that is damaged is made anew',
  })
}
