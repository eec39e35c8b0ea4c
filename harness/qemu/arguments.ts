import type { Boot, Machine } from './machine.js'

const MIB = 1024 ** 2

/** Where the arm64 Xen finds what is loaded beside it. Lower addresses overlap what Xen relocates: Dom0 panics. */
const ARM64_DOM0_KERNEL = '0x50000000'
const ARM64_DOM0_INITRD = '0x58000000'

/** File descriptors on which the QEMU process finds its two sockets. */
export const QMP_FD = 3
export const CONSOLE_FD = 4

/**
 * The command line of a machine, without the program's name. It starts paused (`-S`), with QMP on descriptor 3 and
 * the first serial port on descriptor 4: sockets that exist before QEMU does leave no path, port or race.
 */
export function qemuArguments(machine: Machine): string[] {
  const x86 = machine.arch === 'x86-64'
  const memory = `${Math.floor(machine.memory / MIB)}M`
  return [
    ...['-name', `guest=${machine.name}`],
    ...['-nodefaults', '-no-user-config', '-display', 'none', '-S'],
    ...['-machine', `${machineType(machine)},memory-backend=ram`],
    ...['-accel', machine.accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
    ...['-cpu', cpu(machine)],
    ...['-smp', String(machine.cpus)],
    ...['-m', memory],
    // Memory that can be copied from outside, to save and restore the machine.
    ...['-object', `memory-backend-memfd,id=ram,size=${memory},share=on,seal=off`],
    ...['-chardev', `socket,id=qmp,fd=${QMP_FD}`, '-mon', 'chardev=qmp,mode=control'],
    ...['-chardev', `socket,id=console,fd=${CONSOLE_FD}`, '-serial', 'chardev:console'],
    ...['-device', 'virtio-rng-pci'],
    // A restored guest is told that there may be others like it, and makes its random numbers anew (QEMU: docs/specs/vmgenid).
    ...(x86 ? ['-device', 'vmgenid,guid=auto'] : []),
    // A guest's panic is reported, and then the guest does what it is configured to do.
    ...['-device', x86 ? 'pvpanic' : 'pvpanic-pci', '-action', 'panic=none'],
    ...machine.disks.flatMap((file, index) => diskArguments(file, index, machine.boot)),
    ...(machine.network ? ['-nic', 'user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:0-:22'] : []),
    ...bootArguments(machine),
  ]
}

function machineType({ arch, accelerator, boot }: Machine): string {
  if (arch === 'x86-64') {
    // Without graphics SeaBIOS and BIOS boot loaders speak on the serial port: their words are the proof they ran.
    return boot.method === 'disk' && boot.firmware.kind === 'bios' ? 'q35,graphics=off' : 'q35'
  }
  if (accelerator === 'kvm') return 'virt,gic-version=max'
  return boot.method === 'xen' ? 'virt,virtualization=on,gic-version=3' : 'virt,gic-version=3'
}

function cpu({ arch, accelerator, boot }: Machine): string {
  if (accelerator === 'kvm') return 'host'
  if (arch === 'arm64') return 'cortex-a57'
  // Under emulation Dom0 crashes with all of `max`, and a PVH guest hangs ("Insn mismatch") while RDTSCP is there. With
  // XSAVE, now and then a program of Dom0 loses its vector registers and dies: "segfault" here, a corrupted heap there.
  // AVX must go with it by name: there are programs that ask for AVX alone.
  if (boot.method === 'xen') return 'max,-smap,-smep,-pku,-la57,-rdtscp,-xsave,-avx,-avx2,-fma,-f16c'
  return 'max'
}

function diskArguments(file: string, index: number, boot: Boot): string[] {
  // A kernel given to QEMU takes the first place in the boot order for itself.
  const order = boot.method === 'disk' ? `,bootindex=${index}` : ''
  return [
    ...['-drive', `${drive(`disk${index}`, file)},discard=unmap`],
    ...['-device', `virtio-blk-pci,drive=disk${index}${order}`],
  ]
}

/**
 * Nobody needs these files after a crash of the host, so nothing is forced to its disk. What the guest flushed is in the
 * host's page cache, which outlives a killed QEMU: a power cut keeps it.
 */
function drive(id: string, file: string): string {
  return `if=none,id=${id},format=qcow2,cache=unsafe,file=${escape(file)}`
}

function bootArguments({ arch, boot }: Machine): string[] {
  switch (boot.method) {
    case 'kernel':
      return [
        ...['-kernel', boot.kernel, '-append', boot.append],
        ...(boot.initrd === undefined ? [] : ['-initrd', boot.initrd]),
      ]
    case 'xen':
      return [
        ...['-kernel', boot.hypervisor, '-append', boot.hypervisorArgs],
        ...(arch === 'x86-64' ? multiboot(boot) : guestLoader(boot)),
      ]
    case 'disk':
      return firmwareArguments(boot.firmware)
    case 'none':
      return []
  }
}

type XenBoot = Extract<Boot, { method: 'xen' }>

/** QEMU's multiboot loader takes modules as a list in `-initrd`: parted by commas, each with its arguments. */
function multiboot(boot: XenBoot): string[] {
  const modules = [`${escape(boot.kernel)} ${escape(boot.kernelArgs)}`.trimEnd()]
  if (boot.initrd !== undefined) modules.push(escape(boot.initrd))
  return ['-initrd', modules.join(',')]
}

function guestLoader(boot: XenBoot): string[] {
  const kernel = `kernel=${escape(boot.kernel)},bootargs=${escape(boot.kernelArgs)}`
  const loaders = ['-device', `guest-loader,addr=${ARM64_DOM0_KERNEL},${kernel}`]
  if (boot.initrd !== undefined) {
    loaders.push('-device', `guest-loader,addr=${ARM64_DOM0_INITRD},initrd=${escape(boot.initrd)}`)
  }
  return loaders
}

function firmwareArguments(firmware: Extract<Boot, { method: 'disk' }>['firmware']): string[] {
  switch (firmware.kind) {
    case 'bios':
      return []
    case 'u-boot':
      return ['-bios', firmware.file]
    case 'uefi':
      return [
        ...['-drive', `if=pflash,format=raw,unit=0,readonly=on,file=${escape(firmware.code)}`],
        ...['-drive', `if=pflash,format=raw,unit=1,file=${escape(firmware.vars)}`],
      ]
  }
}

/** QEMU parts options by commas; a doubled one is a comma. */
function escape(value: string): string {
  return value.replaceAll(',', ',,')
}
