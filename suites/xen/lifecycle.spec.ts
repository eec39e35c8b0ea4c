import { expect, test, type XenGuest } from 'bootwright'

const SEEN = { timeout: 30_000, intervals: [200, 500, 1000] }

for (const type of ['pv', 'pvh'] as const) {
  test.describe(`a further guest of type ${type}`, { tag: '@boot' }, () => {
    test.setTimeout(300_000)

    let guest: XenGuest
    test.beforeEach(async ({ device }) => {
      const xen = await device.xen()
      const declared = xen.guests.find(
        candidate => candidate.type === type && !candidate.autostart && candidate.console.shell,
      )
      test.skip(!declared, `the image declares no further guest of type ${type}`)
      guest = xen.guest(declared!.name)
      if (await guest.domain()) await guest.destroy()
    })
    test.afterEach(async () => {
      // Not there when the test was skipped.
      if (await (guest as XenGuest | undefined)?.domain()) await guest.destroy()
    })

    test('is created, answers on its console, is paused, unpaused and shut down', async () => {
      await guest.create()
      const created = (await guest.domain())!
      expect(created.memory, 'memory in MiB').toBe(guest.declared.memory / 1024 ** 2)
      expect(created.vcpus).toBe(guest.declared.vcpus)

      await test.step('console', async () => {
        await using shell = await guest.console()
        await expect(shell).toRun('(exit 3)', { exitCode: 3 })
      })
      await test.step('pause', async () => {
        await guest.pause()
        expect((await guest.domain())!.state).toMatch(/^.{2}p/)
      })
      await test.step('unpause', async () => {
        await guest.unpause()
        expect((await guest.domain())!.state).toMatch(/^.{2}-/)
        await using shell = await guest.console()
        await expect(shell).toRun('echo again', { output: 'again' })
      })
      await test.step('shutdown', async () => {
        await guest.shutdown()
        await expect.poll(() => guest.domain(), SEEN).toBeUndefined()
      })
    })

    test('is destroyed at once', async () => {
      await guest.create('-p')
      expect((await guest.domain())!.state, 'created paused').toMatch(/^.{2}p/)
      await guest.destroy()
      await expect.poll(() => guest.domain(), SEEN).toBeUndefined()
    })

    test('is shown as crashed when its kernel has crashed', async ({ device }) => {
      const shell = await device.shell()
      await guest.create(`'on_crash="preserve"'`)
      await test.step('console', async () => {
        await using inside = await guest.console()
        await expect(inside).toRun('true')
      })
      await guest.sysrq('c')
      await expect.poll(async () => (await guest.domain())?.state, SEEN).toMatch(/c.$/)
      await guest.destroy()
      await expect.poll(() => guest.domain(), SEEN).toBeUndefined()
      await expect(shell).toRun('xl list Domain-0')
    })
  })
}
