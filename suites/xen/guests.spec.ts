import { expect, test } from 'bootwright'

const MIB = 1024 ** 2
/** An automatic guest is started while Dom0 may be at its prompt already; under emulation that takes its time. */
const STARTED = { timeout: 60_000, intervals: [250, 500, 1000] }

test.describe('bundled guests', { tag: '@boot' }, () => {
  test.setTimeout(300_000)

  test('each automatic guest runs with its declared memory and vcpus', async ({ device }) => {
    const xen = await device.xen()
    const automatic = xen.guests.filter(guest => guest.autostart)
    expect(automatic.length, 'automatic guests in the manifest').toBeGreaterThan(0)
    for (const guest of automatic) {
      await test.step(guest.name, async () => {
        await expect.poll(() => xen.domain(guest.name), STARTED).toBeDefined()
        const started = (await xen.domain(guest.name))!
        expect(started.memory, 'memory in MiB').toBe(guest.memory / MIB)
        expect(started.state, 'neither paused, shut down, crashed nor dying').toMatch(/^[-rb]{2}----$/)
        // Of the vcpus only those count that the guest's kernel has brought up.
        if (guest.console.shell) await (await xen.guest(guest.name).console())[Symbol.asyncDispose]()
        expect((await xen.domain(guest.name))?.vcpus, 'vcpus').toBe(guest.vcpus)
      })
    }
  })

  test('each automatic guest reaches its own prompt and returns exit codes', async ({ device }) => {
    const xen = await device.xen()
    const dom0 = await device.shell()
    const ownName = await dom0.check('uname -n')
    for (const declared of xen.guests.filter(guest => guest.autostart && guest.console.shell)) {
      await test.step(declared.name, async () => {
        await expect.poll(() => xen.domain(declared.name), STARTED).toBeDefined()
        await using guest = await xen.guest(declared.name).console()
        expect(await guest.check('uname -n'), 'a host of its own, not Dom0').not.toBe(ownName)
        await expect(guest).toRun('cat /sys/hypervisor/uuid', { output: /^(?!00000000-0000)[0-9a-f-]{36}$/ })
        await expect(guest).toRun('echo ready; exit_with() { return "$1"; }; exit_with 7', {
          exitCode: 7,
          output: 'ready',
        })
        await expect(guest).toRun('true')
      })
    }
  })

  test('a guest that is not automatic does not run', async ({ device }) => {
    const xen = await device.xen()
    const shell = await device.shell()
    // What starts guests may still be at it: one that is there shows that it has begun.
    const automatic = xen.guests.filter(guest => guest.autostart).map(guest => guest.name)
    const names = async () => (await xen.list()).map(domain => domain.name)
    await expect.poll(names, STARTED).toEqual(expect.arrayContaining(automatic))
    const starting = async () => (await shell.run('pidof xendomains')).exitCode === 0
    await expect.poll(starting, { ...STARTED, message: 'guests are still being started' }).toBe(false)
    const running = await names()
    const others = xen.guests.filter(guest => !guest.autostart).map(guest => guest.name)
    expect(running.filter(name => others.includes(name))).toEqual([])
    const known = ['Domain-0', ...xen.guests.map(guest => guest.name)]
    expect(
      running.filter(name => !known.includes(name)),
      'domains that nobody declared',
    ).toEqual([])
  })

  test('xendomains is active', { tag: '@needs:xendomains' }, async ({ device }) => {
    const shell = await device.shell()
    // "is-active" waits for nothing: the unit is still "activating" while it starts the last guest.
    await expect
      .poll(async () => (await shell.run('systemctl is-active xendomains')).output.trim(), {
        timeout: 90_000,
      })
      .toBe('active')
  })
})
