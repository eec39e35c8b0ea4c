import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatSize } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import { identify, isAlive } from '../process/identity.js'
import { lock } from '../process/lock.js'
import { guestMemory } from './guest-memory.js'
import { ourFolder } from './scratch.js'

/** What QEMU itself takes besides a board's memory. */
const QEMU_OWN = 200 * 1024 ** 2
/** How often it is looked whether memory has become free: nothing tells of that. */
const LOOK_MS = 500
const PATIENCE_MS = 10 * 60_000
const CLAIM = /^(\d+)-(\d+)-(\d+)$/

/** Bytes that a board of this memory needs of its host. */
export function memoryOfBoard(memory: number): number {
  return memory + QEMU_OWN
}

/** Memory that was counted for a board, until it is let go of or its process ends. */
export interface MemoryClaim {
  /** What this process takes of the memory is no longer to come. */
  usedBy(pid: number): Promise<void>
  release(): Promise<void>
}

export interface MemoryOptions {
  signal: AbortSignal
  /** Called once if the memory has to be waited for. */
  waiting(why: string): void
  /** Bytes that can be had without swapping. */
  available?: () => number
  /** Base of the temporary folders; default the system's. */
  base?: string | undefined
}

/**
 * Counts memory for a board before it is switched on: boards take theirs bit by bit, so that what is free now may be
 * promised to one that has just started. Waits for as long as other boards of this user hold what is missing.
 *
 * @throws Fault `qemu.memory.short`; the signal's reason when aborted
 */
export async function claimMemory(memory: number, options: MemoryOptions): Promise<MemoryClaim> {
  const { signal, waiting, available = () => process.availableMemory() } = options
  const bytes = memoryOfBoard(memory)
  const folder = join(await ourFolder(options.base), 'memory')
  await mkdir(folder, { recursive: true })
  const until = performance.now() + PATIENCE_MS
  // Who waits keeps the lock: whoever comes later waits behind.
  await using _ = await lock(join(folder, 'lock'), signal, () => waiting('memory, behind another board'))
  for (let told = false; ; told = true) {
    const { promised, others, holders } = await claims(folder)
    const free = available() - promised
    if (free >= bytes) return claim(folder, bytes)
    // This process lets go of none while it waits.
    if (others === 0 || performance.now() > until) throw short(bytes, free, holders)
    if (!told) waiting(`${formatSize(bytes)} of memory, of which ${formatSize(Math.max(0, free))} are free`)
    await sleep(LOOK_MS, undefined, { signal })
  }
}

/** What other boards were promised and have not taken yet. */
async function claims(folder: string): Promise<{ promised: number; holders: number; others: number }> {
  let [promised, holders, others] = [0, 0, 0]
  for (const name of await readdir(folder)) {
    const [, pid, start] = CLAIM.exec(name) ?? []
    if (!pid || !start) continue
    if (!isAlive({ pid: Number(pid), start })) {
      await rm(join(folder, name), { force: true })
      continue
    }
    const [bytes = 0, user] = (await readFile(join(folder, name), 'utf8').catch(() => ''))
      .split(' ')
      .map(Number)
    holders++
    if (Number(pid) !== process.pid) others++
    promised += Math.max(0, bytes - (user === undefined ? 0 : await taken(user)))
  }
  return { promised, holders, others }
}

let made = 0

async function claim(folder: string, bytes: number): Promise<MemoryClaim> {
  const me = identify(process.pid)!
  const file = join(folder, `${me.pid}-${me.start}-${++made}`)
  // A reader never sees half of it.
  const say = async (text: string) => {
    await writeFile(`${file}.new`, text)
    await rename(`${file}.new`, file)
  }
  await say(String(bytes))
  return {
    usedBy: pid => say(`${bytes} ${pid}`),
    // One that cannot be removed counts no more once this process has ended.
    release: () => rm(file, { force: true }).catch(() => {}),
  }
}

/** Bytes of memory that a QEMU has: its own (proc_pid_status(5)), and its guest's, which is a file. */
async function taken(pid: number): Promise<number> {
  try {
    const own = /^RssAnon:\s*(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))
    const { blocks } = await stat(await guestMemory(pid))
    return Number(own?.[1] ?? 0) * 1024 + blocks * 512
  } catch {
    // It has just ended.
    return 0
  }
}

function short(bytes: number, free: number, holders: number): Fault {
  return new Fault({
    code: 'qemu.memory.short',
    culprit: 'lab',
    expected: `${formatSize(bytes)} of free memory for the board`,
    seen: `${formatSize(Math.max(0, free))} are free${holders ? `, and other boards (${holders}) let go of none` : ''}`,
    next: "end other programs, lower the board's memory in the lab file, or use fewer workers",
  })
}
