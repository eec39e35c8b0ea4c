import type { Entry, FileTree } from './tree.js'

const TYPE = { folder: 0o040000, file: 0o100000, link: 0o120000, char: 0o020000, block: 0o060000 } as const

/**
 * A tree as a cpio archive in the "newc" format, which the Linux kernel unpacks as its first file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Archives may be put one behind the other.
 */
export function cpio(tree: FileTree): Buffer {
  const parts: Buffer[] = []
  tree.sorted().forEach(([path, entry], index) => parts.push(...member(path.slice(1), entry, index + 1)))
  parts.push(...member('TRAILER!!!', undefined, 0))
  return Buffer.concat(parts)
}

function member(name: string, entry: Entry | undefined, inode: number): Buffer[] {
  const data = contents(entry)
  const device = entry?.kind === 'device' ? entry : undefined
  const fields = [
    inode,
    modeOf(entry),
    0, // owner
    0, // group
    entry?.kind === 'folder' ? 2 : 1, // links
    0, // time of change
    data.length,
    0, // device that holds the file
    0,
    device?.major ?? 0,
    device?.minor ?? 0,
    Buffer.byteLength(name) + 1,
    0, // checksum: none in this format
  ]
  const header = `070701${fields.map(field => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return [padded(Buffer.from(header)), padded(data)]
}

function contents(entry: Entry | undefined): Buffer {
  if (entry?.kind === 'file') return entry.data
  return Buffer.from(entry?.kind === 'link' ? entry.target : '')
}

function modeOf(entry: Entry | undefined): number {
  if (!entry) return 0
  if (entry.kind === 'link') return TYPE.link | 0o777
  return TYPE[entry.kind === 'device' ? entry.type : entry.kind] | entry.mode
}

/** Headers with their name, and contents, each begin on a multiple of four bytes. */
function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % 4
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(4 - rest)])
}
