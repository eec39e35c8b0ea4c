import type { Entry, FileTree } from './tree.js'

const TYPE = { file: '0', link: '2' } as const
const BLOCK = 512

/**
 * A tree's files and links as a tar archive (POSIX ustar), to be laid over a file system that has its folders already.
 * Folders are left out: those of the file system keep their owner and permissions, others get the usual ones.
 *
 * @param time of change of every member, in seconds since 1970
 */
export function tar(tree: FileTree, time: number): Buffer {
  const parts: Buffer[] = []
  for (const [path, entry] of tree.sorted()) {
    if (entry.kind === 'file' || entry.kind === 'link') parts.push(...member(path.slice(1), entry, time))
  }
  parts.push(Buffer.alloc(2 * BLOCK))
  return Buffer.concat(parts)
}

function member(path: string, entry: Extract<Entry, { kind: 'file' | 'link' }>, time: number): Buffer[] {
  const data = entry.kind === 'file' ? entry.data : Buffer.alloc(0)
  const header = Buffer.alloc(BLOCK)
  const { prefix, name } = split(path)
  header.write(name, 0)
  octal(header, 100, 8, entry.kind === 'file' ? entry.mode : 0o777)
  octal(header, 108, 8, 0) // owner
  octal(header, 116, 8, 0) // group
  octal(header, 124, 12, data.length)
  octal(header, 136, 12, time)
  header.write(TYPE[entry.kind], 156)
  if (entry.kind === 'link') header.write(fitting(entry.target, 100, path), 157)
  header.write('ustar\x0000', 257, 'latin1')
  header.write('root', 265)
  header.write('root', 297)
  header.write(prefix, 345)
  // The sum is taken with blanks in its own place.
  header.fill(' ', 148, 156)
  const sum = header.reduce((total, byte) => total + byte, 0)
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return [header, data, Buffer.alloc((BLOCK - (data.length % BLOCK)) % BLOCK)]
}

/** Names of more than 100 bytes are parted at a slash. */
function split(path: string): { prefix: string; name: string } {
  if (Buffer.byteLength(path) <= 100) return { prefix: '', name: path }
  for (let at = path.lastIndexOf('/', 155); at > 0; at = path.lastIndexOf('/', at - 1)) {
    const [prefix, name] = [path.slice(0, at), path.slice(at + 1)]
    if (Buffer.byteLength(prefix) <= 155 && Buffer.byteLength(name) <= 100) return { prefix, name }
  }
  throw new Error(`${path} is too long a name for a tar archive`)
}

function fitting(text: string, limit: number, path: string): string {
  if (Buffer.byteLength(text) > limit) throw new Error(`${path} leads to too long a name for a tar archive`)
  return text
}

function octal(header: Buffer, at: number, width: number, value: number): void {
  header.write(`${value.toString(8).padStart(width - 1, '0')}\0`, at, 'latin1')
}
