import { expect, test } from 'bootwright'

/** MiB that one container, run as a domain, needs. */
const CONTAINER = 256

test.describe('vxn', { tag: ['@boot', '@network', '@needs:vxn'] }, () => {
  test.setTimeout(180_000)

  test('is installed', async ({ device }) => {
    await expect(await device.shell()).toRun('command -v vxn', { output: /\/vxn$/ })
  })

  test('runs a container as a domain', async ({ device }) => {
    const xen = await device.xen()
    expect(
      Number((await xen.info()).get('free_memory')),
      'free memory for a container',
    ).toBeGreaterThanOrEqual(CONTAINER)
    await expect(await device.shell()).toRun('vxn run --rm alpine echo hello', {
      timeout: 120_000,
      output: /^hello$/m,
    })
  })
})

test.describe('containerd', { tag: ['@boot', '@network', '@needs:containerd'] }, () => {
  test.setTimeout(300_000)

  test('is active', async ({ device }) => {
    await expect(await device.shell()).toRun('systemctl is-active containerd', { output: 'active' })
  })

  test('pulls an image and runs it as a domain', async ({ device }) => {
    const shell = await device.shell()
    const image = 'docker.io/library/alpine:latest'
    await expect(shell).toRun('command -v vctr', { output: /\/vctr$/ })
    await expect(shell).toRun(`ctr image pull ${image}`, { timeout: 120_000 })
    await expect(shell).toRun(`vctr run --rm ${image} test1 echo hello`, {
      timeout: 120_000,
      output: /^hello$/m,
    })
  })
})
