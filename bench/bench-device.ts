import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Journal, JOURNAL } from '../harness/record/journal.js'
import { makeBootPlan } from '../harness/run/plan.js'
import { repositoryRoot } from '../harness/run/root.js'
import { closeDevice, openDevice, type OpenDevice } from '../harness/session/open-device.js'
import { Readiness } from '../harness/session/readiness.js'

const BOARD = 'qemu-x86-64'

/** A device as a session has it, without a session: the image is built when it is not in the cache. */
export interface BenchDevice extends AsyncDisposable {
  readonly device: OpenDevice
  readonly readiness: Readiness
  /** What went not as it should. */
  readonly notes: string[]
  /** Folder of the machine's own files. */
  readonly files: string
}

export async function benchDevice(image: string): Promise<BenchDevice> {
  const plan = makeBootPlan({ root: repositoryRoot(), board: BOARD, image, accel: 'tcg', commandLine: [] })
  const [project] = plan.projects
  const runFolder = mkdtempSync(join(tmpdir(), 'bw-bench-'))
  const ending = new AbortController()
  const notes: string[] = []
  const told = {
    grown: () => {},
    progress: () => {},
    note: (text: string) => notes.push(text),
    fault: (fault: Error) => notes.push(fault.message),
  }
  const device = await openDevice(
    { ...plan, ...project, project: project.name, board: project.boards[0]!, runFolder },
    new Journal(join(runFolder, JOURNAL)),
    told,
    ending.signal,
  )
  return {
    device,
    readiness: new Readiness(device, plan.bootTimeout, told, ending.signal),
    notes,
    files: filesOf(process.pid),
    [Symbol.asyncDispose]: async () => {
      await closeDevice(device)
      rmSync(runFolder, { recursive: true })
    },
  }
}

function filesOf(pid: number): string {
  const parent = join(tmpdir(), `bootwright-${userInfo().uid}`)
  const own = readdirSync(parent).find(name => name.startsWith(`qemu-${pid}-`))
  if (own === undefined) throw new Error(`nothing of this process in ${parent}`)
  return join(parent, own)
}
