import { gunzipSync } from 'node:zlib'
import { Fault } from '../fault/fault.js'
import { runOrThrow } from '../process/run.js'
import { isElf } from './elf.js'

const XZ = Buffer.from('fd377a585a00', 'hex')
const LZ4_LEGACY = 0x184c2102
const LZ4_BLOCK = 8 * 1024 ** 2

/**
 * The kernel inside a compressed x86 kernel (Linux, Documentation/x86/boot.rst: `payload_offset`), as an ELF file.
 * Xen and xl take both; under emulation decompressing takes seconds at each start. Anything else is returned as it is.
 *
 * @throws Fault `image.kernel.payload`
 */
export async function withoutCompression(kernel: Buffer, signal: AbortSignal): Promise<Buffer> {
  if (kernel.length < 0x250 || kernel.toString('latin1', 0x202, 0x206) !== 'HdrS') return kernel
  const start = (kernel.readUInt8(0x1f1) + 1) * 512 + kernel.readUInt32LE(0x248)
  // The kernel's build puts the size of the contents behind them.
  const end = start + kernel.readUInt32LE(0x24c) - 4
  const contents = await decompressed(kernel.subarray(start, end), signal)
  if (contents === undefined) return kernel
  const size = kernel.readUInt32LE(end)
  if (contents.length === size && isElf(contents)) return contents
  throw new Fault({
    code: 'image.kernel.payload',
    culprit: 'harness',
    expected: `a kernel of ${size} bytes inside the compressed one`,
    seen: `${contents.length} bytes, ${isElf(contents) ? '' : 'not '}an ELF file`,
    next: 'report this with the version of the kernel',
  })
}

/** Undefined for a compression that is not known here: such a kernel only starts more slowly. */
async function decompressed(payload: Buffer, signal: AbortSignal): Promise<Buffer | undefined> {
  if (payload.subarray(0, XZ.length).equals(XZ)) {
    const { stdout } = await runOrThrow('xz', ['--decompress', '--stdout'], {
      input: payload,
      signal,
      code: 'image.kernel.payload',
      expected: 'the kernel to be decompressed',
      next: 'install the package xz-utils',
    })
    return stdout
  }
  if (payload.readUInt32LE(0) === LZ4_LEGACY) return lz4(payload.subarray(4))
  return payload.readUInt16BE(0) === 0x1f8b ? gunzipSync(payload) : undefined
}

/** LZ4's legacy frame, as the kernel's build writes it: blocks of 8 MiB, each behind its compressed size. */
export function lz4(frame: Buffer): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at + 4 <= frame.length;) {
    const size = frame.readUInt32LE(at)
    blocks.push(lz4Block(frame.subarray(at + 4, at + 4 + size)))
    at += 4 + size
  }
  return Buffer.concat(blocks)
}

/** One block: runs of literal bytes, each followed by a copy of what came `offset` bytes before. */
function lz4Block(block: Buffer): Buffer {
  const out = Buffer.allocUnsafe(LZ4_BLOCK)
  let from = 0
  let to = 0
  const length = (short: number) => {
    let total = short
    for (let more = short === 15 ? 255 : 0; more === 255; total += more) more = block[from++]!
    return total
  }
  while (from < block.length) {
    const token = block[from++]!
    const literals = length(token >> 4)
    to += block.copy(out, to, from, from + literals)
    from += literals
    // The last run has no copy.
    if (from >= block.length) break
    const offset = block.readUInt16LE(from)
    from += 2
    const end = to + length(token & 15) + 4
    // Source and target may overlap: then what was just written repeats.
    if (offset >= end - to) to += out.copy(out, to, to - offset, end - offset)
    else while (to < end) out[to] = out[to++ - offset]!
  }
  return out.subarray(0, to)
}
