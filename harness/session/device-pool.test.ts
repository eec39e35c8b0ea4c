import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Device } from './device.js'
import { DevicePool } from './device-pool.js'
import type { DeviceRequest } from './protocol.js'

const request = (project: string, workers: number, ...boards: string[]): DeviceRequest => ({
  project,
  workers,
  root: '/',
  runFolder: '/run',
  image: { name: 'i' },
  boards: (boards.length ? boards : ['b']).map(name => ({
    name,
    declaration: { driver: 'qemu', class: 'c', arch: 'x86-64', memory: 1, cpus: 1 },
  })),
  accel: 'tcg',
  bootTimeout: 1,
})

const [a, b] = [{ client: 'a' }, { client: 'b' }]

/** A pool, and what it makes and gives back, in order. */
function poolOf() {
  const seen: string[] = []
  const pool = new DevicePool<object>(
    (name, _, board) => {
      seen.push(`${name} on ${board.name}`)
      const dispose = async () => void seen.push(`end of ${name}`)
      return { name, [Symbol.asyncDispose]: dispose } as unknown as Device
    },
    error => seen.push(String(error)),
  )
  return { pool, seen }
}

test('a client keeps its device, and another gets one of its own on the board that is used least', async () => {
  const { pool, seen } = poolOf()
  const both = request('p', 2, 'one', 'other')
  assert.equal((await pool.take(a, both)).name, 'p')
  assert.equal((await pool.take(b, both)).name, 'p.2')
  pool.giveBack('p')
  pool.giveBack('p.2')
  assert.equal((await pool.take(b, both)).name, 'p.2')
  assert.equal((await pool.take(a, both)).name, 'p')
  assert.deepEqual(seen, ['p on one', 'p.2 on other'])
})

test('the device of a client that is gone goes to the next one, although there may be more', async () => {
  const { pool, seen } = poolOf()
  await pool.take(a, request('p', 2))
  pool.giveBack('p')
  pool.leave(a)
  assert.equal((await pool.take(b, request('p', 2))).name, 'p')
  assert.deepEqual(seen, ['p on b'])
})

test('a device is not taken from a client that will come back while there may be more', async () => {
  const { pool } = poolOf()
  await pool.take(a, request('p', 2))
  pool.giveBack('p')
  assert.equal((await pool.take(b, request('p', 2))).name, 'p.2')
})

test('at the limit, a device that no test has is handed over, and one of another project ends', async () => {
  const { pool, seen } = poolOf()
  await pool.take(a, request('p', 1))
  pool.giveBack('p')
  assert.equal((await pool.take(b, request('p', 1))).name, 'p')
  pool.giveBack('p')
  assert.equal((await pool.take(b, request('q', 1))).name, 'q')
  assert.deepEqual(seen, ['p on b', 'q on b', 'end of p'])
  assert.throws(() => pool.named('p'), { code: 'session.device.released' })
})

test('at the limit, with all devices in use, a client waits for one', async () => {
  const { pool, seen } = poolOf()
  await pool.take(a, request('p', 1))
  const taken = pool.take(b, request('p', 1)).then(({ name }) => seen.push(`b has ${name}`))
  // Everything that is ready to happen happens before a timer does.
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual(seen, ['p on b'])
  pool.giveBack('p')
  await taken
  assert.deepEqual(seen, ['p on b', 'b has p'])
})

test('who has gone, or whose session has ended, waits no longer', async () => {
  for (const end of ['leave', 'close'] as const) {
    const { pool, seen } = poolOf()
    await pool.take(a, request('p', 1))
    const refused = assert.rejects(pool.take(b, request('p', 1)), { code: 'session.ending' })
    if (end === 'leave') pool.leave(b)
    else pool.close()
    await refused
    assert.deepEqual(seen, ['p on b'])
  }
})

test('a device that the lab has no room for is given up while others work, and none is made in its place', async () => {
  const { pool, seen } = poolOf()
  await pool.take(a, request('p', 2))
  await pool.take(b, request('p', 2))
  assert.equal(await pool.retire('p.2'), true)
  pool.giveBack('p')
  assert.equal((await pool.take(b, request('p', 2))).name, 'p')
  assert.equal(await pool.retire('p'), false, 'the last one is not given up')
  assert.deepEqual(seen, ['p on b', 'p.2 on b', 'end of p.2'])
})

test('a device that ends badly does not keep the next one from starting', async () => {
  const seen: string[] = []
  const pool = new DevicePool<object>(
    name => ({ name, [Symbol.asyncDispose]: () => Promise.reject(new Error('stuck')) }) as unknown as Device,
    error => seen.push(String(error)),
  )
  await pool.take(a, request('p', 1))
  pool.giveBack('p')
  assert.equal((await pool.take(a, request('q', 1))).name, 'q')
  assert.deepEqual(seen, ['Error: stuck'])
})
