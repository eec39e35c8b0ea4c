import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { LinuxShell } from './linux-shell.js'
import { ptyDevice, type PtyDevice } from './pty-device.js'

const SHELLS = {
  dash: 'dash -i',
  bash: 'bash --norc -i',
  busybox: 'busybox sh -i',
}
const LOGIN = { timeout: 30_000 }

async function device(t: TestContext, program: string): Promise<PtyDevice> {
  const made = await ptyDevice(program)
  t.after(() => made[Symbol.asyncDispose]())
  return made
}

async function shellOn(t: TestContext, program = SHELLS.dash, shell?: string): Promise<LinuxShell> {
  const { port } = await device(t, program)
  return LinuxShell.login(port, { ...LOGIN, ...(shell && { shell }) })
}

for (const [name, program] of Object.entries(SHELLS)) {
  const inner = name === 'busybox' ? 'busybox sh' : name
  test(`${name}: output, exit code and state of commands`, async t => {
    const shell = await shellOn(t, program, inner)
    assert.equal(await shell.check('echo hello'), 'hello\n')
    assert.equal((await shell.run('true')).output, '')
    assert.equal((await shell.run('printf "no newline"')).output, 'no newline')
    for (const code of [0, 1, 42, 127, 255]) {
      assert.equal((await shell.run(`(exit ${code})`)).exitCode, code)
    }
    await shell.check('cd /usr && export COLOUR=blue && local_one=1')
    assert.equal(
      await shell.check('pwd; echo $COLOUR$local_one; sh -c "echo \\$COLOUR"'),
      '/usr\nblue1\nblue\n',
    )
    assert.equal(await shell.check('cat'), '', 'nothing on standard input')
    assert.equal(await shell.check('echo out; echo err >&2'), 'out\nerr\n')
  })

  test(`${name}: any text in a command arrives as it is`, async t => {
    const shell = await shellOn(t, program, inner)
    const nasty = `$HOME "double" 'single' \`tick\` \\n \\\\ ! # % ~ * ü 日本 🚀 \t tab`
    assert.equal(await shell.check(`cat <<'END'\n${nasty}\nsecond line\nEND`), `${nasty}\nsecond line\n`)
    const long = `echo '${'0123456789 abc ü '.repeat(500)}'`
    assert.equal(await shell.check(long), `${'0123456789 abc ü '.repeat(500)}\n`)
    assert.equal((await shell.run('echo "unterminated')).exitCode, 2)
    assert.equal((await shell.run('f() { return 7; }; f')).exitCode, 7)
    assert.equal((await shell.run('set -e; false')).exitCode, 1)
    assert.notEqual((await shell.run('(: </nonexistent)')).exitCode, 0)
    assert.equal((await shell.run('IFS=:; set -u; set -f')).exitCode, 0)
    assert.equal(await shell.check('echo still here'), 'still here\n')
  })

  test(`${name}: any output comes back as it is`, async t => {
    const shell = await shellOn(t, program, inner)
    const all = await shell.run(
      `printf "$(i=0; while [ $i -lt 256 ]; do printf '\\\\%03o' $i; i=$((i+1)); done)"`,
    )
    assert.deepEqual(
      [...all.bytes],
      Array.from({ length: 256 }, (_, i) => i),
    )
    assert.equal((await shell.run(`printf 'a\\r\\nb\\rc\\n\\n'`)).output, 'a\r\nb\rc\n\n')
    assert.equal(
      (await shell.run(`printf '\\033[31mred\\033[0m ü 日本'`)).output,
      '\x1b[31mred\x1b[0m ü 日本',
    )
    const big = await shell.run(
      'i=0; while [ $i -lt 20000 ]; do echo "line $i of a long output"; i=$((i+1)); done',
    )
    assert.equal(big.output, Array.from({ length: 20000 }, (_, i) => `line ${i} of a long output\n`).join(''))
    const log = await shell.run(`printf '[    1.000000] one\\n(XEN) two\\n'`)
    assert.equal(log.output, '[    1.000000] one\n(XEN) two\n')
  })

  test(`${name}: a command that hangs is interrupted and the shell lives on`, async t => {
    const shell = await shellOn(t, program, inner)
    for (const command of ['echo so far; sleep 1000', 'echo so far; while :; do sleep 1000; done']) {
      await assert.rejects(shell.run(command, { timeout: 300 }), (e: Fault) => {
        assert.equal(e.code, 'shell.command.timeout')
        assert.equal(e.evidence?.[0], 'so far')
        return true
      })
      assert.equal(await shell.check('echo alive'), 'alive\n')
    }
    assert.ok(await shell.isAlive())
  })

  test(`${name}: a child left behind holds nothing up, and spoils nothing`, async t => {
    const shell = await shellOn(t, program, inner)
    const result = await shell.run('sh -c "sleep 0.3; echo late; sleep 1000" & echo $!')
    const pid = Number(result.output)
    for (let i = 0; i < 20; i++) assert.equal(await shell.check(`sleep 0.03; echo ${i}`), `${i}\n`)
    await shell.check(`kill ${pid}; pkill -P ${pid} || true`)
  })

  test(`${name}: a command that ends the shell is told apart`, async t => {
    const shell = await shellOn(t, program, inner)
    await assert.rejects(shell.run('exit 3'), (e: Fault) => {
      assert.equal(e.code, 'shell.ended')
      assert.match(e.seen, /exit code 3/)
      return true
    })
    await assert.rejects(shell.run('true'), (e: Fault) => e.code === 'shell.ended')
    const again = await LinuxShell.login(shell.port, { ...LOGIN, shell: inner })
    assert.equal(await again.check('echo back'), 'back\n')
  })
}
