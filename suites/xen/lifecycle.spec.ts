import { defineState, expect, test, type Domain, type Xen, type XenGuest } from 'bootwright'

const MIB = 1024 ** 2
const SEEN = { timeout: 30_000, intervals: [200, 500, 1000] }
const CRASHED = { timeout: 30_000, intervals: [500, 500, 1000] }

/** One guest of each type that the image declares beside those that start by themselves: PV, PVH. */
function furtherGuests(xen: Xen): XenGuest[] {
  const candidates = xen.guests.filter(guest => !guest.autostart && guest.console.shell)
  const types = [...new Set(candidates.map(guest => guest.type))]
  return types.map(type => xen.guest(candidates.find(guest => guest.type === type)!.name))
}

const running = defineState('further guests run', async ({ device }) => {
  const guests = furtherGuests(await device.xen())
  // They boot side by side, as that takes longest.
  for (const guest of guests) {
    await test.step(`create ${guest.name}`, () => guest.create(`'on_crash="preserve"'`))
  }
  for (const guest of guests) {
    await test.step(`console of ${guest.name}`, async () => {
      await using shell = await guest.console()
      await expect(shell).toRun('(exit 3)', { exitCode: 3 })
    })
  }
})

test.describe('further guests, one of each type', { tag: '@boot' }, () => {
  test.setTimeout(300_000)
  test.use({ state: running })

  let xen: Xen
  let guests: XenGuest[] = []
  test.beforeEach(async ({ device }) => {
    xen = await device.xen()
    guests = furtherGuests(xen)
    test.skip(guests.length === 0, 'the image declares no further guest with a shell')
  })

  /** Rows of "xl list", by name. */
  async function rows(): Promise<Record<string, Domain>> {
    return Object.fromEntries((await xen.list()).map(domain => [domain.name, domain]))
  }
  async function states(): Promise<Record<string, string | undefined>> {
    const found = await rows()
    return Object.fromEntries(guests.map(({ name }) => [name, found[name]?.state]))
  }
  async function areGone(): Promise<void> {
    const left = async () => {
      const found = await rows()
      return guests.map(({ name }) => name).filter(name => name in found)
    }
    await expect.poll(left, { ...SEEN, message: 'guests that are still there' }).toEqual([])
  }
  /** What each guest's state is to match. */
  function each(state: RegExp) {
    return Object.fromEntries(guests.map(({ name }) => [name, expect.stringMatching(state)]))
  }

  test('are created, answer on their consoles, are paused, unpaused and shut down', async () => {
    const found = await rows()
    for (const { name, declared } of guests) {
      expect(found[name]?.memory, `memory of ${name} in MiB`).toBe(declared.memory / MIB)
      expect(found[name]?.vcpus, `vcpus of ${name}`).toBe(declared.vcpus)
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
        // A kernel that does not listen lets the key pass.
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
