import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { spawnTied } from '../process/tied.js'
import { qemuProgram } from './binary.js'
import type { Machine } from './machine.js'

type Arch = Machine['arch']

/** A kernel or hypervisor of the image itself: it exercises more of a processor than our own few instructions. */
export interface ProbeKernel {
  kind: 'linux' | 'xen'
  file: string
}

export interface ProbeResult {
  usable: boolean
  /** A sentence for a person. */
  reason: string
}

/**
 * A boot sector. SeaBIOS brings it up through real mode and its option ROMs, where broken nested virtualisation
 * hangs; it builds three page tables at 0x1000, enters long mode and writes "bootwright" to port 0x3f8.
 */
const X86_SECTOR =
  'fa31c08ed88ec0fcbf0010b90018f3ab' + // cli; segments 0; clear 0x1000-0x3fff
  'c70600100320c70600200330c70600308300' + // PML4, PDPT, and one 2 MiB page mapped to itself
  '66b8200000000f22e066b8001000000f22d8' + // CR4 = PAE; CR3 = 0x1000
  '66b9800000c00f320d00010f30' + // EFER |= LME
  '0f0116887c0f20c0660d010000800f22c0' + // lgdt; CR0 |= PG | PE
  'ea577c0800' + // far jump into 64-bit code
  'be6b7c0000baf8030000b90a000000f36e' + // rep outsb of the word
  'f4ebfd' + // hlt, for ever
  '626f6f74777269676874' + // "bootwright"
  '0f1f00000000000000000000000000009a20000f00787c0000' // GDT and its descriptor

/** The same for arm64, as a flat image for `-kernel`: writes the word to the PL011 at 0x09000000. */
const ARM64_IMAGE = [
  0xd2a12000, // movz x0, #0x900, lsl #16
  0x100000e1, // adr  x1, word
  0x38401422, // ldrb w2, [x1], #1
  0x34000062, // cbz  w2, .+12
  0xb9000002, // str  w2, [x0]
  0x17fffffd, // b    .-12
  0xd503207f, // wfi
  0x17ffffff, // b    .-4
]

const WORD = 'bootwright'
const LIMIT = 5_000
const KERNEL_LIMIT = 15_000

/**
 * Boots a tiny guest, and then `kernel` if one is given, and looks for their words on the serial port.
 *
 * @param folder where the tiny guest's file may be put
 */
export async function probe(
  arch: Arch,
  accelerator: Machine['accelerator'],
  folder: string,
  kernel?: ProbeKernel,
): Promise<ProbeResult> {
  const tiny = await boots(arch, accelerator, await tinyGuest(arch, folder), new RegExp(WORD), LIMIT)
  if (!tiny.usable || !kernel) return tiny
  if (kernel.kind === 'xen') {
    const args = ['-kernel', kernel.file, '-append', 'console=com1 com1=115200']
    return boots(arch, accelerator, args, /\(XEN\)/, KERNEL_LIMIT)
  }
  const early =
    arch === 'x86-64' ? 'console=ttyS0 earlyprintk=ttyS0' : 'console=ttyAMA0 earlycon=pl011,0x9000000'
  const args = ['-kernel', kernel.file, '-append', `${early} panic=-1`]
  // The line about memory comes after paging, interrupts and time are set up.
  return boots(arch, accelerator, args, /Linux version[^]*Memory: \d+K/, KERNEL_LIMIT)
}

async function tinyGuest(arch: Arch, folder: string): Promise<string[]> {
  const file = join(folder, `probe-${arch}`)
  if (arch === 'arm64') {
    const image = Buffer.alloc(4 * ARM64_IMAGE.length + WORD.length + 1)
    ARM64_IMAGE.forEach((word, index) => image.writeUInt32LE(word, 4 * index))
    image.write(WORD, 4 * ARM64_IMAGE.length)
    await writeFile(file, image)
    return ['-kernel', file]
  }
  // SeaBIOS ignores a disk that is smaller than one of its cylinders.
  const disk = Buffer.alloc(1024 ** 2)
  disk.write(X86_SECTOR, 'hex')
  disk.writeUInt16LE(0xaa55, 510)
  await writeFile(file, disk)
  return ['-drive', `format=raw,if=virtio,readonly=on,file=${file.replaceAll(',', ',,')}`]
}

function boots(
  arch: Arch,
  accelerator: Machine['accelerator'],
  guest: string[],
  wanted: RegExp,
  limit: number,
): Promise<ProbeResult> {
  const cpu = accelerator === 'kvm' ? 'host' : arch === 'arm64' ? 'cortex-a57' : 'max'
  const child = spawnTied(
    qemuProgram(arch),
    [
      ...['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
      ...['-machine', arch === 'arm64' ? 'virt,gic-version=max' : 'q35'],
      ...['-accel', accelerator, '-cpu', cpu, '-m', '256M', ...guest],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let printed = ''
  let complaints = ''
  let verdict: ProbeResult | undefined
  const decide = (usable: boolean, reason: string) => {
    verdict ??= { usable, reason }
    child.kill('SIGKILL')
  }
  const timer = setTimeout(() => {
    const last = printed.trim().split('\n').at(-1)
    const stopped = last ? `; it stopped after "${last.trim().slice(0, 80)}"` : ''
    decide(false, `a test guest hung under ${accelerator.toUpperCase()} for ${limit / 1000} s${stopped}`)
  }, limit)
  child.stdout!.on('data', (chunk: Buffer) => {
    printed += chunk.toString('latin1')
    if (wanted.test(printed)) decide(true, `a test guest ran under ${accelerator.toUpperCase()}`)
  })
  child.stderr!.on('data', (chunk: Buffer) => (complaints += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      clearTimeout(timer)
      decide(false, complaints.trim().split('\n').at(-1) || 'the test guest ended without a word')
      resolve(verdict!)
    })
  })
}
