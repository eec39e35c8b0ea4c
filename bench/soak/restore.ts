import { readdirSync, readFileSync } from 'node:fs'
import { LinuxShell } from '../../harness/shell/linux-shell.js'
import { benchDevice } from '../bench-device.js'

/** What a restore must not leave behind. */
interface Footprint {
  /** Bytes of memory of this process, garbage collected. */
  heap: number
  files: number
  processes: number
  /** Entries in the folder of the machine's own files. */
  entries: number
}

/** After so many restores, what is made once has been made. */
const WARM = 20
/** Bytes of heap per restore that are taken for growth: a recording keeps a mark for each boot. */
const HEAP_PER_RESTORE = 8 * 1024

/** Restores a device again and again, and looks at each that it is as it was saved. Throws when it is not, or when something grows. */
export async function soak(count: number, tell: (line: string) => void): Promise<void> {
  if (!globalThis.gc) throw new Error('run it with --expose-gc')
  if (count <= WARM) throw new Error(`growth shows only after more than ${WARM} rounds`)
  await using bench = await benchDevice('xen-dom0-tiny')
  const { device, readiness } = bench
  await readiness.prepare('shared', [])
  let warm!: Footprint
  for (let nth = 1; nth <= count; nth++) {
    const { done } = await readiness.prepare('fresh', [])
    if (!done.startsWith('restored')) throw new Error(`restore ${nth}: ${done}; ${bench.notes.join('; ')}`)
    const shell = LinuxShell.at(device.port, readiness.shells.own!)
    const seen = await shell.check('cat /tmp/mark 2>/dev/null || echo fresh; echo used >/tmp/mark; date +%s')
    const [mark, seconds] = seen.trim().split('\n')
    if (mark !== 'fresh') throw new Error(`restore ${nth}: the mark of an earlier one is there`)
    const off = Math.abs(Number(seconds) - Date.now() / 1000)
    if (off > 30) throw new Error(`restore ${nth}: the clock is ${off.toFixed(0)} s off`)
    if (nth === WARM) warm = footprint(bench.files)
    if (nth % 25 === 0) tell(`${nth} of ${count} · ${described(footprint(bench.files))}`)
  }
  if (bench.notes.length) throw new Error(bench.notes.join('; '))
  const last = footprint(bench.files)
  for (const what of ['files', 'processes', 'entries'] as const) {
    if (last[what] > warm[what]) throw new Error(`${what}: ${warm[what]} have become ${last[what]}`)
  }
  const growth = (last.heap - warm.heap) / (count - WARM)
  if (growth > HEAP_PER_RESTORE) throw new Error(`memory grows by ${growth.toFixed(0)} bytes per restore`)
}

function footprint(folder: string): Footprint {
  globalThis.gc!()
  return {
    heap: process.memoryUsage().heapUsed,
    files: readdirSync('/proc/self/fd').length,
    processes: children().length,
    entries: readdirSync(folder, { recursive: true }).length,
  }
}

function children(): string[] {
  return readdirSync('/proc/self/task').flatMap(task =>
    readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean),
  )
}

function described({ heap, files, processes, entries }: Footprint): string {
  return `heap ${(heap / 1024 ** 2).toFixed(1)} MiB, ${files} open files, ${processes} processes, ${entries} entries`
}
