import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Board } from '../board/board.js'
import { openBoard } from '../board/open.js'
import { SnapshotStore } from '../board/snapshot-store.js'
import { RecordingReader } from '../console/reader.js'
import { Recording } from '../console/recording.js'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from '../image/artefacts.js'
import { parseSize } from '../declare/size.js'
import { buildImage, cacheFolder } from '../image/build.js'
import type { Journal } from '../record/journal.js'
import type { ShellPort } from '../shell/port.js'
import { Boots } from './boots.js'
import type { DeviceRequest } from './protocol.js'

/** Bytes that saved states take in all, unless BOOTWRIGHT_SNAPSHOTS says otherwise. */
const SNAPSHOTS_CAP = 8 * 1024 ** 3

/** Where a device tells how it gets on. */
export interface DeviceTold {
  /** The recording has grown or its console changed; `ended`: why there is no console now. */
  grown(length: number, ended: string | undefined): void
  progress(text: string): void
}

/** A device that is put together: a built image, a board it can boot on, and the recording of its console. */
export interface OpenDevice {
  artefacts: Artefacts
  board: Board
  recording: Recording
  reader: RecordingReader
  boots: Boots
  /** The console as a shell uses it. */
  port: ShellPort
}

/** Which device to open. */
export interface DeviceToOpen extends Omit<DeviceRequest, 'boards' | 'workers'> {
  /** Unique in the run. */
  name: string
  board: DeviceRequest['boards'][number]
}

/** Builds the image (or takes it from the cache) and opens the board; nothing is powered yet. `signal` ends the building. */
export async function openDevice(
  request: DeviceToOpen,
  journal: Journal,
  told: DeviceTold,
  signal: AbortSignal,
): Promise<OpenDevice> {
  const choice = request.board
  const artefacts = await buildImage({
    root: request.root,
    name: request.image.name,
    arch: choice.declaration.arch,
    ...(request.image.variant !== undefined && { variant: request.image.variant }),
    onProgress: event => told.progress(event.step),
    signal,
  })
  const { manifest } = artefacts
  journal.write({
    type: 'image',
    image: manifest.image,
    ...(request.image.variant !== undefined && { variant: request.image.variant }),
    arch: manifest.arch,
    key: manifest.key,
    artefacts: manifest.artefacts,
  })
  const recording = Recording.create(freshFolder(join(request.runFolder, 'consoles', request.name)))
  const reader = new RecordingReader(recording.folder, recording)
  const boots = new Boots(request.name, choice.name, recording, reader, journal)
  const board = await openBoard({
    name: choice.name,
    declaration: choice.declaration,
    artefacts,
    accel: request.accel,
    snapshots: snapshotStore(request.root),
    listener: {
      onConsole: channel => {
        recording.attach(channel)
        told.grown(recording.length(), undefined)
      },
      onEvent: event => boots.onEvent(event),
      onWait: what => told.progress(`waiting for ${what}`),
    },
  }).catch((error: unknown) => {
    recording.close()
    reader[Symbol.dispose]()
    throw error
  })
  recording.onGrow(length => told.grown(length, undefined))
  recording.onEnd(reason => told.grown(recording.length(), reason))
  journal.write({
    type: 'device',
    device: request.name,
    project: request.project,
    board: choice.name,
    boardClass: choice.declaration.class,
    console: relative(request.runFolder, recording.folder),
    facts: board.describe(),
  })
  const port: ShellPort = {
    reader,
    write: async bytes => {
      if (!recording.channel) throw noConsole()
      await recording.channel.write(bytes)
    },
  }
  return { artefacts, board, recording, reader, boots, port }
}

/** Saved states of booted devices, beside the built images they belong to. */
function snapshotStore(root: string): SnapshotStore {
  const cap = parseSize(process.env['BOOTWRIGHT_SNAPSHOTS'] ?? '') ?? SNAPSHOTS_CAP
  return new SnapshotStore(join(cacheFolder(root), 'snapshots'), cap)
}

/** A second session of a run (the first was killed) records beside the first. */
function freshFolder(wanted: string): string {
  for (let nth = 1; ; nth++) {
    const folder = nth === 1 ? wanted : `${wanted}-${nth}`
    if (!existsSync(folder)) return folder
  }
}

export async function closeDevice(device: OpenDevice): Promise<void> {
  try {
    await device.board[Symbol.asyncDispose]()
  } finally {
    device.recording.close()
    device.reader[Symbol.dispose]()
  }
}

function noConsole(): Fault {
  return new Fault({
    code: 'console.ended',
    culprit: 'product',
    expected: 'a powered board with an open console',
    seen: 'the board is off',
    next: 'power it on first, or see in the record why it went off',
  })
}
