import { readFileSync } from 'node:fs'
import type { Lab } from '../../board/inventory.js'
import { formatSize } from '../../declare/size.js'
import type { Check, Finding } from './check.js'

/** What QEMU itself takes besides a board's memory. */
const QEMU_OWN = 200 * 1024 ** 2

export function memoryChecks(lab: Lab, meminfo = () => readFileSync('/proc/meminfo', 'utf8')): Check[] {
  const boards = [...lab.boards.values()].filter(board => board.driver === 'qemu')
  const sizes = boards.map(board => board.memory + QEMU_OWN)
  const fits = (wanted: number, remedy: string) => async (): Promise<Finding> => {
    const free = availableMemory(meminfo())
    const seen = `${formatSize(free)} free, ${formatSize(wanted)} wanted`
    return free >= wanted ? { ok: true, seen } : { ok: false, seen, remedy }
  }
  const end = 'end other programs'
  return [
    {
      name: `memory for the largest board of labs/${lab.name}.yaml`,
      needed: true,
      check: fits(Math.max(0, ...sizes), `${end}, or lower the board's memory in ${lab.file}`),
    },
    {
      name: 'memory for all its boards at once',
      needed: false,
      check: fits(
        sizes.reduce((a, b) => a + b, 0),
        `${end}, or run on one board at a time`,
      ),
    },
  ]
}

/** Bytes that can be used without swapping, by the kernel's own estimate (proc_meminfo(5)). */
function availableMemory(meminfo: string): number {
  return Number(/^MemAvailable:\s+(\d+) kB$/m.exec(meminfo)?.[1] ?? 0) * 1024
}
