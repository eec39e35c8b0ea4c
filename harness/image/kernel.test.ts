import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Fault } from '../fault/fault.js'
import { lz4, withoutCompression } from './kernel.js'

const never = new AbortController().signal
const elf = Buffer.concat([Buffer.from('7f454c460201', 'hex'), Buffer.alloc(90, 'kernel')])

/** The parts of an x86 kernel that say where its contents are. */
function bzImage(payload: Buffer, size: number): Buffer {
  const head = Buffer.alloc(1024 + 16)
  head.write('HdrS', 0x202, 'latin1')
  head.writeUInt8(1, 0x1f1)
  head.writeUInt32LE(16, 0x248)
  head.writeUInt32LE(payload.length + 4, 0x24c)
  const tail = Buffer.alloc(4)
  tail.writeUInt32LE(size)
  return Buffer.concat([head, payload, tail])
}

test('the kernel is taken out of a compressed one', async () => {
  assert.ok((await withoutCompression(bzImage(gzipSync(elf), elf.length), never)).equals(elf))
})

test('what is no such kernel, or compressed in an unknown way, stays as it is', async () => {
  const other = Buffer.alloc(0x300, 'x')
  assert.equal(await withoutCompression(other, never), other)
  const unknown = bzImage(Buffer.from('unknown compression'), 5)
  assert.equal(await withoutCompression(unknown, never), unknown)
})

test('contents of another size than announced are refused', async () => {
  await assert.rejects(withoutCompression(bzImage(gzipSync(elf), 12), never), (fault: unknown) => {
    assert.ok(fault instanceof Fault)
    assert.equal(fault.code, 'image.kernel.payload')
    return true
  })
})

test('lz4: literals, copies that overlap themselves, long runs', () => {
  // Four literals and 15 + 3 + 4 repeated from 4 back; then 15 + 5 literals alone.
  const block = Buffer.from([
    0x4f,
    ...Buffer.from('abcd'),
    4,
    0,
    3,
    0xf0,
    5,
    ...Buffer.from('ABCDEFGHIJKLMNOPQRST'),
  ])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  assert.equal(
    lz4(Buffer.concat([size, block, size, block])).toString(),
    'abcdabcdabcdabcdabcdabcdabABCDEFGHIJKLMNOPQRST'.repeat(2),
  )
})
