/** What a 64-bit little-endian ELF file says about what it needs (System V ABI, chapters 4 and 5). */
export interface Needs {
  /** Path of the dynamic loader, for programs. */
  interpreter: string | undefined
  /** Names of shared libraries, as `libc.so.6`. */
  libraries: string[]
}

const PT_LOAD = 1
const PT_DYNAMIC = 2
const PT_INTERP = 3
const DT_NEEDED = 1n
const DT_STRTAB = 5n

export function isElf(file: Buffer): boolean {
  return file.length >= 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1
}

/** Needs nothing when the file is static, or no ELF file at all. */
export function needsOf(file: Buffer): Needs {
  if (!isElf(file)) return { interpreter: undefined, libraries: [] }
  const segments = programHeaders(file)
  const interpreter = segments.find(({ type }) => type === PT_INTERP)
  const dynamic = segments.find(({ type }) => type === PT_DYNAMIC)
  const libraries: string[] = []
  if (dynamic) {
    const entries: [bigint, bigint][] = []
    for (let at = dynamic.offset; at < dynamic.offset + dynamic.size; at += 16) {
      entries.push([file.readBigInt64LE(at), file.readBigUInt64LE(at + 8)])
    }
    const strings = Number(entries.find(([tag]) => tag === DT_STRTAB)?.[1] ?? 0n)
    const loaded = segments.find(
      ({ type, address, size }) => type === PT_LOAD && strings >= address && strings < address + size,
    )
    const table = loaded ? strings - loaded.address + loaded.offset : strings
    for (const [tag, value] of entries) {
      if (tag === DT_NEEDED) libraries.push(stringAt(file, table + Number(value)))
    }
  }
  return { interpreter: interpreter && stringAt(file, interpreter.offset), libraries }
}

/** Names of the modules that a Linux kernel module depends on: `depends=` of its `.modinfo` section. */
export function moduleDependencies(file: Buffer): string[] {
  const info = section(file, '.modinfo')?.toString('latin1').split('\0') ?? []
  const depends = info.find(entry => entry.startsWith('depends='))?.slice('depends='.length) ?? ''
  return depends.split(',').filter(Boolean)
}

function programHeaders(file: Buffer) {
  const start = Number(file.readBigUInt64LE(32))
  const entrySize = file.readUInt16LE(54)
  return Array.from({ length: file.readUInt16LE(56) }, (_, index) => {
    const at = start + index * entrySize
    return {
      type: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 8)),
      address: Number(file.readBigUInt64LE(at + 16)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }
  })
}

function section(file: Buffer, name: string): Buffer | undefined {
  const start = Number(file.readBigUInt64LE(40))
  const entrySize = file.readUInt16LE(58)
  const headers = Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const at = start + index * entrySize
    return {
      name: file.readUInt32LE(at),
      offset: Number(file.readBigUInt64LE(at + 24)),
      size: Number(file.readBigUInt64LE(at + 32)),
    }
  })
  const names = headers[file.readUInt16LE(62)]
  if (!names) return undefined
  const found = headers.find(header => stringAt(file, names.offset + header.name) === name)
  return found && file.subarray(found.offset, found.offset + found.size)
}

function stringAt(file: Buffer, offset: number): string {
  return file.toString('latin1', offset, file.indexOf(0, offset))
}
