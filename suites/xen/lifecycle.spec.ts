import { expect, test, type XenGuest } from 'bootwright'

const MIB = 1024 ** 2
const SEEN = { timeout: 30_000, intervals: [200, 500, 1000] }
/** A guest boots, and its kernel can be crashed. */
const CRASHED = { timeout: 120_000, intervals: [500, 1000] }

/** One guest of each type that the image declares beside those that start by themselves: PV, PVH. */
test.describe('further guests, one of each type', { tag: '@boot' }, () => {
  test.setTimeout(300_000)

  let guests: XenGuest[] = []
  test.beforeEach(async ({ device }) => {
    const xen = await device.xen()
    const candidates = xen.guests.filter(guest => !guest.autostart && guest.console.shell)
    const types = [...new Set(candidates.map(guest => guest.type))]
    guests = types.map(type => xen.guest(candidates.find(guest => guest.type === type)!.name))
    test.skip(guests.length === 0, 'the image declares no further guest with a shell')
    // They boot side by side, as that takes longest.
    for (const guest of guests) {
      await test.step(`create ${guest.name}`, () => guest.create(`'on_crash="preserve"'`))
    }
  })
  test.afterEach(async () => {
    for (const guest of guests) if (await guest.domain()) await guest.destroy()
  })

  test('are created, answer on their consoles, are paused, unpaused and shut down', async () => {
    for (const guest of guests) {
      const { name, declared } = guest
      await test.step(`${name} (${declared.type})`, async () => {
        const created = (await guest.domain())!
        expect(created.memory, `memory of ${name} in MiB`).toBe(declared.memory / MIB)
        expect(created.vcpus, `vcpus of ${name}`).toBe(declared.vcpus)

        await test.step('console', async () => {
          await using shell = await guest.console()
          await expect(shell).toRun('(exit 3)', { exitCode: 3 })
        })
        await test.step('pause', async () => {
          await guest.pause()
          expect((await guest.domain())!.state, `${name} is paused`).toMatch(/^.{2}p/)
        })
        await test.step('unpause', async () => {
          await guest.unpause()
          expect((await guest.domain())!.state, `${name} is no longer paused`).toMatch(/^.{2}-/)
          await using shell = await guest.console()
          await expect(shell).toRun('echo again', { output: 'again' })
        })
        await test.step('shutdown', async () => {
          await guest.shutdown()
          await expect.poll(() => guest.domain(), { ...SEEN, message: `${name} is gone` }).toBeUndefined()
        })
      })
    }
  })

  test('are shown as crashed when their kernels have crashed, and are destroyed', async ({ device }) => {
    for (const guest of guests) {
      const { name, declared } = guest
      await test.step(`${name} (${declared.type})`, async () => {
        await test.step('crash', async () => {
          const crashed = async () => {
            await guest.sysrq('c')
            return (await guest.domain())?.state
          }
          await expect.poll(crashed, { ...CRASHED, message: `${name} has crashed` }).toMatch(/c.$/)
        })
        await test.step('destroy', async () => {
          await guest.destroy()
          await expect.poll(() => guest.domain(), { ...SEEN, message: `${name} is gone` }).toBeUndefined()
        })
      })
    }
    await expect(await device.shell()).toRun('xl list Domain-0')
  })
})
