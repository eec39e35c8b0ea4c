import { connect } from 'node:net'
import { expect, test } from 'bootwright'

const DAY_MS = 24 * 60 * 60 * 1000

test.describe('smoke', { tag: '@boot' }, () => {
  test('logs in to a shell that computes', async ({ device }) => {
    await expect(await device.shell()).toRun('echo $((6 * 7))', { output: '42' })
  })

  test('has no failed unit', { tag: '@needs:systemd' }, async ({ device }) => {
    await expect(await device.shell()).toRun('systemctl --failed --no-legend --plain', { output: '' })
  })

  test('has no finding on its console', async ({ device }) => {
    await device.shell()
    expect(await device.findings()).toEqual([])
  })

  test('knows the date', async ({ device }) => {
    const shell = await device.shell()
    const seconds = Number(await shell.check('date +%s'))
    expect(Math.abs(seconds * 1000 - Date.now()), 'ms between its clock and ours').toBeLessThan(DAY_MS)
  })

  test('has a real-time clock that runs with the system clock', { tag: '@needs:rtc' }, async ({ device }) => {
    const shell = await device.shell()
    const [rtc, system] = (await shell.check('cat /sys/class/rtc/rtc0/since_epoch; date +%s'))
      .split('\n')
      .map(Number)
    expect(Math.abs(rtc! - system!), 'seconds between them').toBeLessThan(120)
  })

  test('has room on its root file system', async ({ device }) => {
    const shell = await device.shell()
    const { exitCode, output } = await shell.run('df -P /')
    test.skip(/can't find mount point/.test(output), 'the root file system is the initial one, in memory')
    expect(exitCode, output).toBe(0)
    const [, row] = output.split('\n')
    const used = Number(/(\d+)%/.exec(row ?? '')?.[1] ?? (/ - +\/$/.test(row ?? '') ? 0 : NaN))
    expect(used, `percent used, of: ${row}`).toBeLessThan(95)
  })

  test('reaches the network', { tag: ['@network', '@needs:ping'] }, async ({ device }) => {
    const shell = await device.shell()
    const gateway = /default via (\S+)/.exec(await shell.check('ip route'))?.[1]
    expect(gateway, 'a default route').toBeDefined()
    await expect(shell).toRun(`ping -c 1 -W 5 ${gateway}`)
  })

  test('answers on SSH', { tag: ['@network', '@needs:ssh'] }, async ({ device }) => {
    expect(device.sshPort, 'a port that the board forwards').toBeDefined()
    expect(await bannerOf(device.sshPort!)).toMatch(/^SSH-2\.0-/)
  })

  test('reboots and comes back', { tag: ['@slow', '@needs:reboot'] }, async ({ device }) => {
    test.setTimeout(240_000)
    const before = (await device.boots()).length
    const id = 'cat /proc/sys/kernel/random/boot_id'
    const first = await (await device.shell()).check(id)
    const shell = await device.reboot()
    expect(await shell.check(id), 'boot id of the kernel').not.toBe(first)
    const boots = await device.boots()
    expect(boots.length).toBe(before + 1)
    expect(boots.at(-1)!.cause).toBe('reset')
  })
})

function bannerOf(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setTimeout(20_000, () => socket.destroy(new Error('silent for 20 s')))
    socket.once('data', data => {
      socket.destroy()
      resolve(data.toString())
    })
    socket.once('error', reject)
    socket.once('close', () => reject(new Error('closed without a word')))
  })
}
