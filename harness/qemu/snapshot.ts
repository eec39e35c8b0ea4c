import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import { orMissing } from './binary.js'
import { full } from './overlay.js'
import type { QmpClient } from './qmp.js'

/** Name of a drive's block node: drives and nodes share their names' room. */
export function nodeOf(drive: string): string {
  return `${drive}-node`
}

/** A state is some hundred MiB, written and read at the speed of the page cache. */
const LIMIT = 120_000
/** QEMU gives a state up half-way when the disk is full; rather not begin. Bytes beyond the machine's memory. */
const ROOM = 64 * 1024 ** 2

interface Job {
  id: string
  status: string
  error?: string
}

/** Makes the qcow2 file that a machine keeps its states in. @throws Fault `qemu.missing`, `qemu.disk.overlay` */
export async function makeStateFile(folder: string): Promise<string> {
  const file = join(folder, 'state.qcow2')
  const made = await orMissing(
    'qemu-img',
    'qemu-utils',
    run('qemu-img', ['create', '-q', '-f', 'qcow2', file, '1M']),
  )
  if (made.code === 0) return file
  throw new Fault({
    code: 'qemu.disk.overlay',
    culprit: 'lab',
    expected: `a file for saved states in ${folder}`,
    seen: made.stderr.trim() || `qemu-img ended with exit code ${made.code}`,
    next: 'check that the temporary folder is writable',
  })
}

/** States of one running machine: memory, devices and disks as one, by name. The machine must be stopped meanwhile. */
export class MachineStates {
  readonly #qmp: QmpClient
  readonly #where: { vmstate: string; devices: string[] }
  #jobs = 0

  constructor(qmp: QmpClient, disks: number) {
    this.#qmp = qmp
    this.#where = {
      vmstate: nodeOf('state'),
      devices: [nodeOf('state'), ...Array.from({ length: disks }, (_, index) => nodeOf(`disk${index}`))],
    }
  }

  /** @throws Fault `qemu.snapshot.refused` with QEMU's words, e.g. what device cannot be saved */
  async save(name: string): Promise<void> {
    await this.#job('snapshot-save', { tag: name, ...this.#where })
    // What QEMU still holds of the files is written when a machine is stopped, even one that is.
    await this.#qmp.execute('stop')
  }

  /** @throws Fault `qemu.snapshot.refused` */
  async load(name: string): Promise<void> {
    await this.#job('snapshot-load', { tag: name, ...this.#where })
  }

  async remove(name: string): Promise<void> {
    await this.#job('snapshot-delete', { tag: name, devices: this.#where.devices })
  }

  /** Runs a job to its end (QEMU QMP Reference, "Background jobs"). */
  async #job(command: string, args: Record<string, unknown>): Promise<void> {
    const id = `${command}-${++this.#jobs}`
    let stop = () => {}
    let timer: NodeJS.Timeout | undefined
    const concluded = new Promise<void>((resolve, reject) => {
      stop = this.#qmp.onEvent(({ event, data }) => {
        if (event === 'JOB_STATUS_CHANGE' && data.id === id && data.status === 'concluded') resolve()
      })
      timer = setTimeout(() => reject(refused(command, `it took more than ${LIMIT / 1000} s`)), LIMIT)
      void this.#qmp.closed.then(() => reject(refused(command, 'QEMU ended')))
    })
    try {
      await Promise.all([this.#qmp.execute(command, { 'job-id': id, ...args }), concluded])
    } finally {
      stop()
      clearTimeout(timer)
    }
    const jobs = await this.#qmp.execute<Job[]>('query-jobs')
    const error = jobs.find(job => job.id === id)?.error
    await this.#qmp.execute('job-dismiss', { id })
    if (error !== undefined) throw refused(command, error)
  }
}

/** @throws Fault `qemu.disk.full` when a state of `memory` bytes has no room in `folder`, which has `free` */
export function checkRoom(folder: string, free: number, memory: number): void {
  if (free < memory + ROOM) throw full(folder, free, memory + ROOM)
}

function refused(command: string, seen: string): Fault {
  return new Fault({
    code: 'qemu.snapshot.refused',
    culprit: 'harness',
    expected: `QEMU to carry out ${command}`,
    seen,
    next: 'the device is booted instead; a snapshot that is damaged is made anew',
  })
}
