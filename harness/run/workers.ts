import { availableParallelism } from 'node:os'
import { memoryOfBoard } from '../qemu/memory.js'
import type { ProjectPlan } from './plan.js'

/** What a machine has for boards: processors, and bytes of memory that can be had without swapping. */
export interface Host {
  processors: number
  memory: number
}

/** Of the free memory, what boards may have: runner, session and whatever else goes on need some. */
const SHARE = 0.8

/** How many devices may run at once, so that each has processors and memory of its own; at least one. */
export function workersFor(
  projects: readonly Pick<ProjectPlan, 'boards'>[],
  host: Host = thisHost(),
): number {
  const boards = projects.flatMap(project => project.boards.map(({ declaration }) => declaration))
  const cpus = Math.max(1, ...boards.map(board => board.cpus))
  const memory = Math.max(1, ...boards.map(board => memoryOfBoard(board.memory)))
  return Math.max(1, Math.floor(Math.min(host.processors / cpus, (host.memory * SHARE) / memory)))
}

function thisHost(): Host {
  return { processors: availableParallelism(), memory: process.availableMemory() }
}
