import assert from 'node:assert/strict'
import { test } from 'node:test'
import { qemuArguments } from './arguments.js'
import type { Machine } from './machine.js'

const linux: Machine = {
  name: 'm',
  arch: 'x86-64',
  memory: 1024 ** 3,
  cpus: 2,
  accelerator: 'tcg',
  boot: { method: 'kernel', kernel: '/i/vmlinuz', initrd: '/i/initrd', append: 'console=ttyS0 a=1,2' },
  disks: [],
  network: false,
}

const xen: Machine['boot'] = {
  method: 'xen',
  hypervisor: '/i/xen',
  hypervisorArgs: 'console=com1 dom0_mem=384M,max:384M',
  kernel: '/i/vm,linuz',
  kernelArgs: 'console=hvc0 a=1,2',
  initrd: '/i/initrd.gz',
}

/** The values given to `option`, in order. */
function values(machine: Machine, option: string): string[] {
  const args = qemuArguments(machine)
  return args.flatMap((arg, index) => (arg === option ? [args[index + 1]!] : []))
}

test('every machine starts paused, without defaults, with QMP and console on descriptors', () => {
  const args = qemuArguments(linux)
  for (const option of ['-S', '-nodefaults', '-no-user-config']) assert.ok(args.includes(option))
  assert.deepEqual(values(linux, '-chardev'), ['socket,id=qmp,fd=3', 'socket,id=console,fd=4'])
  assert.deepEqual(values(linux, '-m'), ['1024M'])
  assert.deepEqual(values(linux, '-object'), ['memory-backend-memfd,id=ram,size=1024M,share=on,seal=off'])
  assert.deepEqual(values(linux, '-smp'), ['2'])
})

test('a kernel is loaded as it is', () => {
  assert.deepEqual(values(linux, '-machine'), ['q35,memory-backend=ram'])
  assert.deepEqual(values(linux, '-cpu'), ['max'])
  assert.deepEqual(values(linux, '-kernel'), ['/i/vmlinuz'])
  assert.deepEqual(values(linux, '-append'), ['console=ttyS0 a=1,2'])
  assert.deepEqual(values(linux, '-initrd'), ['/i/initrd'])
  const bare = { ...linux, boot: { method: 'kernel', kernel: '/k', append: '' } } as const
  assert.deepEqual(values(bare, '-initrd'), [])
})

test('Xen gets Dom0 as multiboot modules, their commas doubled', () => {
  const machine = { ...linux, boot: xen }
  assert.deepEqual(values(machine, '-append'), ['console=com1 dom0_mem=384M,max:384M'])
  assert.deepEqual(values(machine, '-initrd'), ['/i/vm,,linuz console=hvc0 a=1,,2,/i/initrd.gz'])
  assert.deepEqual(values(machine, '-cpu'), [
    'max,-smap,-smep,-pku,-la57,-rdtscp,-xsave,-avx,-avx2,-fma,-f16c',
  ])
})

test('Xen on arm64 gets Dom0 by guest-loader devices', () => {
  const machine: Machine = { ...linux, arch: 'arm64', boot: xen }
  assert.deepEqual(values(machine, '-machine'), ['virt,virtualization=on,gic-version=3,memory-backend=ram'])
  assert.deepEqual(
    values(machine, '-device').filter(device => device.startsWith('guest-loader')),
    [
      'guest-loader,addr=0x50000000,kernel=/i/vm,,linuz,bootargs=console=hvc0 a=1,,2',
      'guest-loader,addr=0x58000000,initrd=/i/initrd.gz',
    ],
  )
})

test('KVM gives the guest the processor of the host', () => {
  const machine: Machine = { ...linux, accelerator: 'kvm', boot: xen }
  assert.deepEqual(values(machine, '-accel'), ['kvm'])
  assert.deepEqual(values(machine, '-cpu'), ['host'])
})

test('disks keep their order and may have commas in their names', () => {
  const machine = { ...linux, disks: ['/t/a,b.qcow2', '/t/c.qcow2'] }
  const drives = values(machine, '-drive')
  assert.match(drives[0]!, /id=disk0,.*file=\/t\/a,,b\.qcow2,discard/)
  assert.match(drives[1]!, /id=disk1,.*file=\/t\/c\.qcow2,discard/)
  assert.ok(values(machine, '-device').includes('virtio-blk-pci,drive=disk1'))
})

test('disks are booted in their order, unless a kernel is given: QEMU refuses two first places', () => {
  const bios = {
    ...linux,
    disks: ['/t/a', '/t/b'],
    boot: { method: 'disk', firmware: { kind: 'bios' } },
  } as const
  const orders = (machine: Machine) => values(machine, '-device').filter(device => /bootindex/.test(device))
  assert.deepEqual(orders(bios), [
    'virtio-blk-pci,drive=disk0,bootindex=0',
    'virtio-blk-pci,drive=disk1,bootindex=1',
  ])
  assert.deepEqual(orders({ ...bios, boot: linux.boot }), [])
})

test('a network card forwards a port that QEMU chooses, on the loopback only', () => {
  assert.deepEqual(values(linux, '-nic'), [])
  const nic = values({ ...linux, network: true }, '-nic')
  assert.deepEqual(nic, ['user,model=virtio-net-pci,hostfwd=tcp:127.0.0.1:0-:22'])
})

test('each firmware is given as QEMU wants it', () => {
  const disk = (firmware: Extract<Machine['boot'], { method: 'disk' }>['firmware']): Machine => ({
    ...linux,
    boot: { method: 'disk', firmware },
  })
  assert.deepEqual(values(disk({ kind: 'bios' }), '-machine'), ['q35,graphics=off,memory-backend=ram'])
  assert.deepEqual(values(disk({ kind: 'u-boot', file: '/u' }), '-bios'), ['/u'])
  assert.deepEqual(values(disk({ kind: 'uefi', code: '/c', vars: '/v' }), '-drive'), [
    'if=pflash,format=raw,unit=0,readonly=on,file=/c',
    'if=pflash,format=raw,unit=1,file=/v',
  ])
})
