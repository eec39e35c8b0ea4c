import { mkdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { EXIT } from '../fault/exit.js'
import { Fault } from '../fault/fault.js'
import { Journal, JOURNAL } from '../record/journal.js'
import { closeDevice, openDevice } from '../session/open-device.js'
import { checkHost } from './preflight.js'
import { makeBootPlan } from './plan.js'

export interface BootRequest {
  root: string
  board: string
  image: string | undefined
  lab: string
  accel: 'auto' | 'kvm' | 'tcg'
  /** `ctrl-x`: the key that leaves. */
  leave: string
  signal: AbortSignal
}

/** Boots a board in this process and connects its console to this terminal until the key, the end of the board, or a signal. */
export async function bootInteractively(request: BootRequest): Promise<number> {
  const leave = controlKey(request.leave)
  const { image, ...others } = request
  const plan = makeBootPlan({
    ...others,
    ...(image !== undefined && { image }),
    commandLine: process.argv.slice(2),
  })
  await checkHost(plan)
  const [project] = plan.projects
  mkdirSync(plan.runFolder, { recursive: true })
  const say = (text: string) => process.stderr.write(`[bootwright] ${text}\r\n`)
  let over: (code: number) => void = () => {}
  const ended = new Promise<number>(resolve => (over = resolve))
  const device = await openDevice(
    { ...plan, ...project, project: project.name, board: project.boards[0]! },
    new Journal(join(plan.runFolder, JOURNAL)),
    { grown: (_, reason) => reason !== undefined && over(EXIT.passed), progress: say },
    request.signal,
  )
  const type = (keys: Buffer) => {
    const at = keys.indexOf(leave)
    if (at >= 0) over(EXIT.passed)
    const typed = at >= 0 ? keys.subarray(0, at) : keys
    if (typed.length) void device.port.write(typed).catch(() => {})
  }
  const stop = () => over(EXIT.interrupted)
  request.signal.addEventListener('abort', stop, { once: true })
  let shown = 0
  device.recording.onGrow(length => {
    process.stdout.write(device.reader.readBytes(shown, length))
    shown = length
  })
  const { stdin } = process
  try {
    if (request.signal.aborted) stop()
    say(`${project.name} on ${request.board}; ${request.leave} leaves and powers it off`)
    if (stdin.isTTY) stdin.setRawMode(true)
    stdin.on('data', type)
    return await Promise.race([device.board.power.on().then(() => ended), ended])
  } finally {
    stdin.off('data', type)
    if (stdin.isTTY) stdin.setRawMode(false)
    stdin.pause()
    request.signal.removeEventListener('abort', stop)
    await closeDevice(device)
    say(`off; the console is kept in ${relative(process.cwd(), device.recording.folder)}`)
  }
}

/** The byte that a terminal sends for `ctrl-x` (ASCII: the letter without its upper bits). */
export function controlKey(name: string): number {
  const key = /^ctrl-([a-z@[\\\]^_])$/i.exec(name)?.[1]
  if (key) return key.toUpperCase().charCodeAt(0) & 0x1f
  throw new Fault({
    code: 'usage.key.unknown',
    culprit: 'usage',
    expected: 'a key such as ctrl-\\ or ctrl-x',
    seen: `"${name}" is none`,
    next: 'choose another with --leave',
  })
}
