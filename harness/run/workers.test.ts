import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MIB } from '../declare/size.js'
import { workersFor } from './workers.js'

const boards = (...sizes: { cpus: number; memory: number }[]) => [
  {
    boards: sizes.map(({ cpus, memory }, i) => ({
      name: `b${i}`,
      declaration: { driver: 'qemu', class: 'c', arch: 'x86-64', cpus, memory: memory * MIB } as const,
    })),
  },
]
const host = (processors: number, memory: number) => ({ processors, memory: memory * MIB })

test('there are as many devices as the processors and the memory carry, whichever are fewer', () => {
  const board = boards({ cpus: 2, memory: 1000 })
  assert.equal(workersFor(board, host(8, 100_000)), 4)
  assert.equal(workersFor(board, host(7, 100_000)), 3)
  // QEMU takes 200 MiB besides, and a fifth of the memory is not for boards.
  assert.equal(workersFor(board, host(8, 3000)), 2)
  assert.equal(workersFor(board, host(8, 2990)), 1)
})

test('there is always one, and the largest board counts', () => {
  assert.equal(workersFor(boards({ cpus: 4, memory: 4000 }), host(2, 100)), 1)
  assert.equal(workersFor(boards({ cpus: 1, memory: 100 }, { cpus: 4, memory: 100 }), host(8, 100_000)), 2)
  assert.equal(workersFor([], host(2, 1000)), 2)
})
