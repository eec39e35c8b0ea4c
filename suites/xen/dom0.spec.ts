import { expect, test } from 'bootwright'

test.describe('Dom0', { tag: '@boot' }, () => {
  test('reaches a root prompt on its console', async ({ device }) => {
    const shell = await device.shell()
    await expect(shell).toRun('uname -s', { output: 'Linux' })
    await expect(shell).toRun('id -u', { output: '0' })
  })

  test('is the control domain', async ({ device }) => {
    await expect(await device.shell()).toRun('cat /proc/xen/capabilities', { output: 'control_d' })
  })

  test('runs on Xen', async ({ device }) => {
    const shell = await device.shell()
    await expect(shell).toRun('cat /sys/hypervisor/type', { output: 'xen' })
    await expect(shell).toRun('dmesg | grep -iwm1 xen')
  })

  test('is domain 0 of "xl list", within the memory it is capped to', async ({ device }) => {
    const xen = await device.xen()
    const dom0 = await xen.domain('Domain-0')
    expect(dom0, 'the row of Domain-0').toBeDefined()
    expect(dom0!.id).toBe(0)
    expect(dom0!.state, 'state of a domain that lives').toMatch(/^[-rb]{2}----$/)
    const cap = device.manifest.xen!.dom0Memory
    expect(cap, 'a cap on the memory of Dom0 in the manifest').toBeDefined()
    expect(dom0!.memory).toBeGreaterThan(0)
    expect(dom0!.memory, 'MiB, as "xl list" shows them').toBeLessThanOrEqual(cap! / 1024 ** 2)
  })

  test('runs the promised version of Xen', async ({ device }) => {
    const xen = await device.xen()
    const info = await xen.info()
    expect(`${info.get('xen_version')}.`).toMatch(new RegExp(`^${escape(device.manifest.xen!.version)}[.-]`))
  })

  test('shows no failure on its console', async ({ device }) => {
    await device.shell()
    expect(await device.findings()).toEqual([])
  })
})

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
