import { expect, test } from 'bootwright'

test.describe('too little memory', { tag: '@boot' }, () => {
  test('a guest that does not fit is refused, Dom0 and the others live on', async ({ device }) => {
    const xen = await device.xen()
    const shell = await device.shell()
    const free = Number((await xen.info()).get('free_memory'))
    expect(free, 'free_memory of "xl info", MiB').toBeGreaterThan(0)
    const tooLarge = xen.guests.find(guest => !guest.autostart && guest.memory / 1024 ** 2 > free)
    test.skip(!tooLarge, 'the image declares no guest that is too large for this board')
    const before = await xen.list()

    const result = await shell.run(`xl create ${tooLarge!.config}`, { timeout: 45_000 })

    expect(result.exitCode, 'exit code of "xl create"').not.toBe(0)
    expect(result.output, 'the reason').toMatch(
      /failed to free memory|not enough|Cannot allocate memory|memory allocation/i,
    )
    const known = ({ name, id, memory, vcpus }: (typeof before)[number]) => ({ name, id, memory, vcpus })
    expect((await xen.list()).map(known)).toEqual(before.map(known))
    await expect(shell).toRun('cat /proc/xen/capabilities', { output: 'control_d' })
  })
})
