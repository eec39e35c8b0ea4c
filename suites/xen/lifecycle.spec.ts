import { expect, test, type Domain, type Xen, type XenGuest } from 'bootwright'

const MIB = 1024 ** 2
const SEEN = { timeout: 30_000, intervals: [200, 500, 1000] }
/** A guest boots, and its kernel can be crashed. */
const CRASHED = { timeout: 120_000, intervals: [500, 500, 1000] }

/** One guest of each type that the image declares beside those that start by themselves: PV, PVH. */
test.describe('further guests, one of each type', { tag: '@boot' }, () => {
  test.setTimeout(300_000)

  let xen: Xen
  let guests: XenGuest[] = []
  test.beforeEach(async ({ device }) => {
    xen = await device.xen()
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
    for (const guest of await there()) await guest.destroy()
  })

  /** Rows of "xl list", by name. */
  async function rows(): Promise<Record<string, Domain>> {
    return Object.fromEntries((await xen.list()).map(domain => [domain.name, domain]))
  }
  async function states(): Promise<Record<string, string | undefined>> {
    const found = await rows()
    return Object.fromEntries(guests.map(({ name }) => [name, found[name]?.state]))
  }
  async function there(): Promise<XenGuest[]> {
    const found = await rows()
    return guests.filter(({ name }) => name in found)
  }
  async function areGone(): Promise<void> {
    const names = async () => (await there()).map(({ name }) => name)
    await expect.poll(names, { ...SEEN, message: 'guests that are still there' }).toEqual([])
  }
  /** What each guest's state is to match. */
  function each(state: RegExp) {
    return Object.fromEntries(guests.map(({ name }) => [name, expect.stringMatching(state)]))
  }

  test('are created, answer on their consoles, are paused, unpaused and shut down', async () => {
    const created = await rows()
    for (const { name, declared } of guests) {
      expect(created[name]?.memory, `memory of ${name} in MiB`).toBe(declared.memory / MIB)
    }
    for (const guest of guests) {
      await test.step(`console of ${guest.name}`, async () => {
        await using shell = await guest.console()
        await expect(shell).toRun('(exit 3)', { exitCode: 3 })
      })
    }
    // Only those count that the guest's kernel has brought up.
    const booted = await rows()
    for (const { name, declared } of guests) {
      expect(booted[name]?.vcpus, `vcpus of ${name}`).toBe(declared.vcpus)
    }
    await test.step('pause', async () => {
      for (const guest of guests) await guest.pause()
      expect(await states(), 'paused').toEqual(each(/^..p---$/))
    })
    await test.step('unpause', async () => {
      for (const guest of guests) await guest.unpause()
      expect(await states(), 'no longer paused').toEqual(each(/^..----$/))
      for (const guest of guests) {
        await using shell = await guest.console()
        await expect(shell).toRun('echo again', { output: 'again' })
      }
    })
    await test.step('shutdown', async () => {
      for (const guest of guests) await guest.shutdown()
      await areGone()
    })
  })

  test('are shown as crashed when their kernels have crashed, and are destroyed', async ({ device }) => {
    test.skip(device.manifest.arch === 'arm64', 'on arm64 Linux does not tell Xen that it has crashed')
    await test.step('crash', async () => {
      const crashed = async () => {
        const before = await states()
        // A kernel that does not listen yet, or that runs no program yet, lets the key pass.
        for (const guest of guests) if (!before[guest.name]?.endsWith('c-')) await guest.sysrq('c')
        return states()
      }
      await expect.poll(crashed, { ...CRASHED, message: 'crashed' }).toEqual(each(/c-$/))
    })
    await test.step('destroy', async () => {
      for (const guest of guests) await guest.destroy()
      await areGone()
    })
    await expect(await device.shell()).toRun('xl list Domain-0')
  })
})
