import assert from 'node:assert/strict'
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Channel } from '../channel/channel.js'
import type { Fault } from '../fault/fault.js'
import { cksum } from './cksum.js'
import { LinuxShell } from './linux-shell.js'
import { ptyDevice } from './pty-device.js'

const LOGIN = { timeout: 30_000 }

async function shellOn(t: TestContext, program = 'dash -i', through?: (channel: Channel) => Channel) {
  const device = await ptyDevice(program, through)
  t.after(() => device[Symbol.asyncDispose]())
  return { shell: await LinuxShell.login(device.port, LOGIN), device }
}

test('a device that vanishes in mid-command ends the command at once', async t => {
  const { shell, device } = await shellOn(t)
  const running = assert.rejects(
    shell.run('echo; sleep 1000', { timeout: 1e6 }),
    (e: Fault) => e.code === 'shell.device.gone' && e.seen.includes('the console ended'),
  )
  await device.port.reader.cursor().expect('^~', LOGIN)
  device.kill()
  await running
  await assert.rejects(shell.run('true'), (e: Fault) => e.code === 'shell.device.gone')
  assert.equal(await shell.isAlive(), false)
})

test('a device that starts anew in mid-command is gone, with its words', async t => {
  const { shell } = await shellOn(t)
  await assert.rejects(
    shell.run(`printf 'Kernel panic - not syncing: Attempted to kill init!\\r\\n' >$__t; sleep 1000`),
    (e: Fault) => e.code === 'shell.device.gone' && e.seen.includes('Attempted to kill init'),
  )
})

test('a device that no longer echoes is gone, not slow', async t => {
  let deaf = false
  const { shell } = await shellOn(t, 'dash -i', channel => ({
    onData: listener => channel.onData(listener),
    onClose: listener => channel.onClose(listener),
    write: async bytes => (deaf ? undefined : channel.write(bytes)),
    close: () => channel.close(),
  }))
  const running = assert.rejects(
    shell.run('sleep 1000', { timeout: 500 }),
    (e: Fault) => e.code === 'shell.device.gone' && e.seen.includes('no longer echoed'),
  )
  await shell.port.reader.cursor().expect('^~', LOGIN)
  deaf = true
  await running
})

test('an aborted command ends the wait at once, and the next one finds a shell', async t => {
  const { shell } = await shellOn(t)
  const controller = new AbortController()
  const running = assert.rejects(shell.run('sleep 1000', { signal: controller.signal }), /the test is over/)
  await shell.port.reader.cursor().expect('^~', LOGIN)
  controller.abort(new Error('the test is over'))
  await running
  assert.equal(await shell.check('echo next'), 'next\n')
})

test('commands asked for at once run one after the other', async t => {
  const { shell } = await shellOn(t)
  const outputs = await Promise.all([1, 2, 3].map(i => shell.check(`echo ${i}`)))
  assert.deepEqual(outputs, ['1\n', '2\n', '3\n'])
})

test('check throws with what the command printed', async t => {
  const { shell } = await shellOn(t)
  await assert.rejects(shell.check('echo why; exit_code() { return 5; }; exit_code'), (e: Fault) => {
    assert.equal(e.code, 'shell.command.failed')
    assert.match(e.seen, /exit code 5/)
    assert.deepEqual(e.evidence, ['why'])
    return true
  })
})

const INNER = `socat STDIO,raw,echo=0,escape=0x1d EXEC:'dash -i',pty,stderr,setsid,ctty`

test('a program that takes the terminal over gives it back', async t => {
  const { shell } = await shellOn(t)
  await shell.check('where=outer')
  const attached = await shell.attach(INNER)
  await assert.rejects(shell.run('true'), (e: Fault) => e.code === 'shell.attached')
  const inner = await LinuxShell.login(attached, LOGIN)
  await inner.check('where=inner')
  assert.equal(await inner.check('echo $where'), 'inner\n')
  assert.equal((await inner.run('seq 20000')).output.length, 108894)
  await attached.detach()
  assert.equal(await shell.check('echo $where'), 'outer\n')
  await assert.rejects(attached.write(Buffer.from('x')), (e: Fault) => e.code === 'shell.attached.left')
})

test('a shell behind a terminal is taken up again by its key', async t => {
  const { shell } = await shellOn(t)
  const attached = await shell.attach(`dash -i <>/dev/tty >&0 2>&1`)
  const inner = await LinuxShell.login(attached, LOGIN)
  await inner.check('here=kept')
  const again = await LinuxShell.resume(attached, inner.key, 5000)
  assert.equal(await again!.check('echo $here'), 'kept\n')
})

for (const [when, program] of [
  ['already', 'true'],
  ['while it is waited for', 'read -r line; echo "$line"'],
] as const) {
  test(`a program that ended ${when} is no console: the shell it ran in is not taken for what was behind it`, async t => {
    const { shell } = await shellOn(t)
    const attached = await shell.attach(program)
    await assert.rejects(
      LinuxShell.login(attached, LOGIN),
      (e: Fault) => e.code === 'console.ended' && e.seen.includes(`"${program}" ended with exit code 0`),
    )
    assert.deepEqual(await attached.detach(), { exitCode: 0 })
    assert.equal(await shell.check('echo outer'), 'outer\n')
  })
}

test('a program that ended by itself is detached from with its exit code', async t => {
  const { shell } = await shellOn(t)
  const attached = await shell.attach('echo gone; (exit 4)')
  assert.deepEqual(await attached.detach(), { exitCode: 4 })
  assert.equal(await shell.check('echo here'), 'here\n')
})

test('a program that does not let go is a fault', async t => {
  const { shell } = await shellOn(t)
  const attached = await shell.attach('trap "" INT QUIT; sleep 1000')
  await assert.rejects(attached.detach(), (e: Fault) => e.code === 'shell.detach.failed')
})

test('the check sum is that of POSIX', async t => {
  const { shell } = await shellOn(t)
  for (const text of ['', 'a', 'hello world\n'.repeat(1000)]) {
    const [sum] = (await shell.check(`printf %s '${text}' | cksum`)).split(' ')
    assert.equal(cksum(Buffer.from(text)), Number(sum))
  }
})

test('without cksum the output is proven by md5sum', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bw-path-'))
  t.after(() => rmSync(folder, { recursive: true }))
  for (const tool of ['sh', 'stty', 'tty', 'mkdir', 'md5sum', 'wc', 'cat', 'seq', 'rm']) {
    symlinkSync(realpathSync(`/usr/bin/${tool}`), join(folder, tool))
  }
  const device = await ptyDevice(`env PATH=${folder} /bin/dash -i`)
  t.after(() => device[Symbol.asyncDispose]())
  const shell = await LinuxShell.login(device.port, LOGIN)
  assert.equal(await shell.check('command -v cksum || seq 3'), '1\n2\n3\n')
})

test('without a place to write, a command still returns all of its output', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'bw-mkdir-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'mkdir'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const device = await ptyDevice('dash -i', undefined, { PATH: `${folder}:${process.env['PATH']}` })
  t.after(() => device[Symbol.asyncDispose]())
  const shell = await LinuxShell.login(device.port, LOGIN)
  assert.equal(await shell.check('echo "[$__d]"'), '[]\n')
  const result = await shell.run('seq 3000; echo ü; echo; (exit 9)')
  assert.equal(result.exitCode, 9)
  assert.equal(result.output, `${Array.from({ length: 3000 }, (_, i) => `${i + 1}\n`).join('')}ü\n\n`)
  assert.equal((await shell.run('true')).output, '')
})
