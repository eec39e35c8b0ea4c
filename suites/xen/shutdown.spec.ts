import { expect, test } from 'bootwright'

test.describe('shutdown', { tag: ['@boot', '@slow', '@needs:xendomains'] }, () => {
  test.setTimeout(240_000)

  test('xendomains shuts the guests down before Dom0 goes off', async ({ device }) => {
    const xen = await device.xen()
    const automatic = xen.guests.filter(guest => guest.autostart)
    const shell = await device.shell()
    await expect
      .poll(async () => (await shell.run('systemctl is-active xendomains')).output.trim(), {
        timeout: 90_000,
      })
      .toBe('active')
    for (const guest of automatic) expect(await xen.domain(guest.name), guest.name).toBeDefined()

    await shell.run('(sleep 1; systemctl poweroff) </dev/null >/dev/null 2>&1 &')

    for (const guest of automatic) {
      await expect(device.console).toPrint(
        new RegExp(`Shutting down (?:Xen )?domain:? .*${guest.name}|Domain ${guest.name} shut ?down`),
        { timeout: 120_000 },
      )
    }
    await expect(device.console).toPrint(/reboot: Power down/, { timeout: 90_000 })
    await expect.poll(() => device.power.state(), { timeout: 90_000 }).toBe('off')
    expect((await device.boots()).at(-1)!.end).toBe('poweroff')
  })
})
