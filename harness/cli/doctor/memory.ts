import type { Lab } from '../../board/inventory.js'
import { formatSize } from '../../declare/size.js'
import { memoryOfBoard } from '../../qemu/memory.js'
import type { Check, Finding } from './check.js'

export function memoryChecks(lab: Lab, available = () => process.availableMemory()): Check[] {
  const boards = [...lab.boards.values()].filter(board => board.driver === 'qemu')
  const sizes = boards.map(board => memoryOfBoard(board.memory))
  const fits = (wanted: number, remedy: string) => async (): Promise<Finding> => {
    const free = available()
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
