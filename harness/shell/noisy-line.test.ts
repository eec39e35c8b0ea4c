import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { LinuxShell } from './linux-shell.js'
import { NoisyChannel, seeded, type NoiseOptions } from './noisy-channel.js'
import { ptyDevice } from './pty-device.js'

async function noisy(t: TestContext, options: NoiseOptions) {
  let channel: NoisyChannel | undefined
  const device = await ptyDevice('dash -i', inner => (channel = new NoisyChannel(inner, options)))
  t.after(() => device[Symbol.asyncDispose]())
  const shell = await LinuxShell.login(device.port, { timeout: 60_000 })
  return { shell, channel: channel! }
}

const LINES = Array.from({ length: 60 }, (_, i) => `line ${i} ü of some output\n`).join('')
const PRINT = 'i=0; while [ $i -lt 60 ]; do echo "line $i ü of some output"; i=$((i+1)); done; (exit 7)'

for (const seed of [1, 2, 3, 4]) {
  test(`kernel messages at any byte change nothing (seed ${seed})`, async t => {
    const { shell, channel } = await noisy(t, { random: seeded(seed), lines: 0.002 })
    for (let i = 0; i < 8; i++) {
      const result = await shell.run(PRINT)
      assert.equal(result.output, LINES)
      assert.equal(result.exitCode, 7)
      assert.equal(await shell.check(`echo ${i}`), `${i}\n`)
    }
    assert.ok(channel.inserted > 10, `${channel.inserted} lines were inserted`)
  })

  test(`lines of no known form in the middle of an output are no part of it (seed ${seed})`, async t => {
    const { shell, channel } = await noisy(t, {
      random: seeded(seed),
      lines: 0.0005,
      text: n => `random: crng init done ${n}\r\n`,
    })
    for (let i = 0; i < 8; i++) assert.equal((await shell.run(PRINT)).output, LINES)
    assert.ok(channel.inserted > 0)
  })

  test(`lost characters never make another command (seed ${seed})`, async t => {
    const { shell, channel } = await noisy(t, { random: seeded(seed + 2), drop: 0.003 })
    for (let i = 0; i < 8; i++) {
      assert.equal(await shell.check(`echo one two three four five ${i}`), `one two three four five ${i}\n`)
    }
    assert.ok(channel.dropped > 0)
  })
}

test('small chunks make no difference', async t => {
  const { shell } = await noisy(t, { random: seeded(1), chunk: 3 })
  assert.equal((await shell.run(PRINT)).output, LINES)
})

test('output that looks like kernel messages stays, the foreign line goes', async t => {
  const { shell, channel } = await noisy(t, { random: seeded(9), lines: 0.001 })
  const command = `i=0; while [ $i -lt 20 ]; do echo "[    1.00000$((i%10))] mine $i"; i=$((i+1)); done`
  const expected = Array.from({ length: 20 }, (_, i) => `[    1.00000${i % 10}] mine ${i}\n`).join('')
  for (let i = 0; i < 10; i++) assert.equal((await shell.run(command)).output, expected)
  assert.ok(channel.inserted > 0)
})
