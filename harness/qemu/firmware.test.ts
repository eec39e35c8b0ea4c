import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { prepareFirmware } from './firmware.js'

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'bw-firmware-test-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

test('UEFI variables are copied for each board', async t => {
  const prefix = folder(t)
  const own = folder(t)
  mkdirSync(join(prefix, 'share/OVMF'), { recursive: true })
  writeFileSync(join(prefix, 'share/OVMF/OVMF_CODE_4M.fd'), 'code')
  writeFileSync(join(prefix, 'share/OVMF/OVMF_VARS_4M.fd'), 'vars')
  const firmware = await prepareFirmware('uefi', 'x86-64', own, prefix)
  assert.deepEqual(firmware, {
    kind: 'uefi',
    code: join(prefix, 'share/OVMF/OVMF_CODE_4M.fd'),
    vars: join(own, 'uefi-variables.fd'),
  })
  assert.equal(readFileSync(join(own, 'uefi-variables.fd'), 'utf8'), 'vars')
})

test('missing firmware is told with its package', async t => {
  const empty = folder(t)
  const packages = { uefi: { 'x86-64': 'ovmf', arm64: 'qemu-efi-aarch64' } } as const
  for (const arch of ['x86-64', 'arm64'] as const) {
    await assert.rejects(
      prepareFirmware('uefi', arch, empty, empty),
      (e: Fault) => e.code === 'qemu.firmware.missing' && e.next.endsWith(packages.uefi[arch]),
    )
    await assert.rejects(
      prepareFirmware('u-boot', arch, empty, empty),
      (e: Fault) => e.code === 'qemu.firmware.missing' && e.next.endsWith('u-boot-qemu'),
    )
  }
})

test('arm64 has no BIOS', async t => {
  const empty = folder(t)
  await assert.rejects(
    prepareFirmware('bios', 'arm64', empty),
    (e: Fault) => e.code === 'qemu.firmware.unsupported' && e.culprit === 'usage',
  )
})
