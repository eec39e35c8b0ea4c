import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { connectUnix } from './unix-socket.js'

async function listening(
  t: TestContext,
): Promise<{ path: string; server: Server; accepted: Promise<Socket> }> {
  const folder = mkdtempSync(join(tmpdir(), 'bw-channel-'))
  const path = join(folder, 's')
  const server = createServer()
  const accepted = once(server, 'connection').then(([socket]) => socket as Socket)
  server.listen(path)
  await once(server, 'listening')
  t.after(() => {
    server.close()
    rmSync(folder, { recursive: true })
  })
  return { path, server, accepted }
}

test('bytes that come before the first listener are not lost', async t => {
  const { path, accepted } = await listening(t)
  const channel = await connectUnix(path, { timeout: 1000 })
  const peer = await accepted
  await new Promise<void>(resolve => peer.write('early', () => resolve()))
  await new Promise(resolve => setImmediate(resolve))
  const seen = await new Promise<string>(resolve => channel.onData(chunk => resolve(chunk.toString())))
  assert.equal(seen, 'early')
  await channel.close()
})

test('the orderly end of the peer closes without an error, also for a late listener', async t => {
  const { path, accepted } = await listening(t)
  const channel = await connectUnix(path, { timeout: 1000 })
  channel.onData(() => {})
  ;(await accepted).end()
  const error = await new Promise(resolve => channel.onClose(resolve))
  assert.equal(error, undefined)
  assert.equal(await new Promise(resolve => channel.onClose(resolve)), undefined)
})

test('a write reaches the peer; one after the end is a fault', async t => {
  const { path, accepted } = await listening(t)
  const channel = await connectUnix(path, { timeout: 1000 })
  const peer = await accepted
  const got = once(peer, 'data')
  await channel.write(Buffer.from('hello'))
  assert.equal(String((await got)[0]), 'hello')
  await channel.close()
  await assert.rejects(channel.write(Buffer.from('x')), (e: Fault) => e.code === 'channel.closed')
})

test('a socket that is not there is a fault at once', async () => {
  await assert.rejects(
    connectUnix('/nonexistent/socket', { timeout: 1000 }),
    (e: Fault) => e.code === 'channel.connect.refused',
  )
})
