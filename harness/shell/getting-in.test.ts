import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { LinuxShell } from './linux-shell.js'
import { ptyDevice } from './pty-device.js'

const LOGIN = { timeout: 30_000 }

/** A device whose console is this shell script. */
async function device(t: TestContext, script: string) {
  const folder = mkdtempSync(join(tmpdir(), 'bw-getty-'))
  const file = join(folder, 'console')
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
  const made = await ptyDevice(file)
  t.after(async () => {
    await made[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true })
  })
  return made
}

const GETTY = `
while :; do
  printf '\\r\\nhost login: '; read -r name
  [ -z "$name" ] && continue
  if [ "$name" = root ]; then echo 'Last login: Mon Jan  1 on ttyS0'; exec sh -i; fi
  printf 'Password: '; stty -echo; read -r word; stty echo; echo
  if [ "$name $word" = 'user secret' ]; then exec sh -i; fi
  echo 'Login incorrect'
done`

test('a boot that is still going, then a login prompt', async t => {
  const { port } = await device(t, `echo booting; sleep 0.5; echo still; sleep 0.5; ${GETTY}`)
  const shell = await LinuxShell.login(port, LOGIN)
  assert.equal(await shell.check('echo in'), 'in\n')
})

test('a login prompt that a kernel message has scrolled away', async t => {
  const { port } = await device(
    t,
    GETTY.replace('read -r name', 'echo "[   12.345678] eth0: up"; read -r name'),
  )
  const shell = await LinuxShell.login(port, LOGIN)
  assert.equal(await shell.check('echo in'), 'in\n')
})

test('a login with a password; a wrong one is told at once', async t => {
  const { port } = await device(t, GETTY)
  await assert.rejects(
    LinuxShell.login(port, { ...LOGIN, login: 'user', password: 'wrong' }),
    (e: Fault) => e.code === 'shell.login.incorrect' && e.seen.includes('Login incorrect'),
  )
  await assert.rejects(
    LinuxShell.login(port, { ...LOGIN, login: 'user' }),
    (e: Fault) => e.code === 'shell.login.password',
  )
  const shell = await LinuxShell.login(port, { ...LOGIN, login: 'user', password: 'secret' })
  assert.equal(await shell.check('echo in'), 'in\n')
})

test('a console that waits for Enter', async t => {
  const { port } = await device(
    t,
    `echo 'Please press Enter to activate this console.'; read -r x; exec sh -i`,
  )
  assert.equal(await (await LinuxShell.login(port, LOGIN)).check('echo in'), 'in\n')
})

test('a line that somebody left half typed is not run', async t => {
  const { port } = await device(t, 'exec bash --norc -i')
  await port.write(Buffer.from('echo ruined > /tmp/bw-must-not-be'))
  await port.reader.cursor(0).expect('must-not-be', LOGIN)
  const shell = await LinuxShell.login(port, LOGIN)
  assert.equal(await shell.check('cat /tmp/bw-must-not-be 2>/dev/null; true'), '')
})

test('an open quote does not keep anybody out', async t => {
  const { port } = await device(t, 'exec dash -i')
  await port.write(Buffer.from('echo "open\n'))
  await port.reader.cursor(0).expect('> ', LOGIN)
  assert.equal(await (await LinuxShell.login(port, LOGIN)).check('echo in'), 'in\n')
})

test('a shell in which our loop already runs is taken over', async t => {
  const { port } = await device(t, 'exec dash -i')
  const first = await LinuxShell.login(port, LOGIN)
  await first.check('export kept=yes')
  const second = await LinuxShell.login(port, LOGIN)
  assert.equal(await second.check('echo $kept'), 'yes\n')
})

test('no shell: the fault says what was there instead', async t => {
  const { port } = await device(t, 'echo "nobody home"; stty -echo; cat >/dev/null')
  await assert.rejects(LinuxShell.login(port, { timeout: 3000 }), (e: Fault) => {
    assert.equal(e.code, 'shell.login.timeout')
    assert.ok(e.evidence?.includes('nobody home'))
    return true
  })
})

test('a console that ends while waiting', async t => {
  const { port, kill } = await device(t, 'echo booting; sleep 1000')
  const waiting = assert.rejects(LinuxShell.login(port, LOGIN), (e: Fault) => e.code === 'console.ended')
  await port.reader.cursor(0).expect('booting', LOGIN)
  kill()
  await waiting
})
