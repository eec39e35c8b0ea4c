import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsoleWatch } from './watch.js'

function watch(text: string, chunkSize: number) {
  const stages: string[] = []
  const findings: { code: string; line: string; offset: number }[] = []
  const watched = new ConsoleWatch({
    onStage: name => stages.push(name),
    onFinding: (finding, line, offset) => findings.push({ code: finding.code, line, offset }),
  })
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += chunkSize) watched.push(bytes.subarray(at, at + chunkSize), at)
  return { stages, findings }
}

const BOOT =
  'SeaBIOS (version 1.16)\r\n(XEN) Xen version 4.17\r\n[    0.0] Linux version 6.1\r\n' +
  '[    2.0] Run /init as init process\r\ndom0 login: '

for (const size of [1, 7, 4096]) {
  test(`stages in their order, in chunks of ${size}`, () => {
    assert.deepEqual(watch(BOOT, size).stages, ['firmware', 'hypervisor', 'kernel', 'init', 'login'])
  })

  test(`a finding with its line and place, in chunks of ${size}`, () => {
    const { findings } = watch('fine\r\n[   1.5] Kernel panic - not syncing: VFS\r\nmore\r\n', size)
    assert.deepEqual(findings, [
      { code: 'kernel.panic', line: '[   1.5] Kernel panic - not syncing: VFS', offset: 6 },
    ])
  })
}

test('a panic whose first line came in pieces is known by its trace', () => {
  const torn =
    '[ 7.235489] K\r\r\nernel panic - no\r\r\nt syncing: VFS\r\r\n[    7.283071]  panic+0x118/0x2f4\r\r\n(XEN) Hardware Dom0 crashed: rebooting\r\n'
  assert.deepEqual(
    watch(torn, 64).findings.map(f => f.code),
    ['kernel.panic', 'xen.dom0.crashed'],
  )
})

test('trouble after the login prompt is still found', () => {
  const { findings } = watch(`${BOOT}root\r\n[  9.9] kernel BUG at mm/slab.c:1!\r\n`, 64)
  assert.deepEqual(
    findings.map(f => f.code),
    ['kernel.bug'],
  )
})

test('a line without end costs no memory without end', () => {
  const watched = new ConsoleWatch({ onStage: () => {}, onFinding: () => {} })
  for (let i = 0; i < 1000; i++) watched.push(Buffer.alloc(10_000, 65), i * 10_000)
  assert.ok((watched as unknown as { partial: string }).partial.length <= 4096)
})
