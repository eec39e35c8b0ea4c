import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { lastAttempt, type RunRecord } from '../record/record.js'
import type { Ended } from './started.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { defineState, expect, test } from 'bootwright'

const marked = 'cat /tmp/mark 2>/dev/null || echo none; echo marked >/tmp/mark'
const cases = [
  ['fresh 1', 'fresh', 'none'],
  ['fresh 2', 'fresh', 'none'],
  ['shared 1', 'shared', 'marked'],
  ['shared 2, which fails', 'shared', 'what nobody wrote'],
  ['shared 3', 'shared', 'none'],
  ['rebooted', 'rebooted', 'none'],
  ['power-cycled', 'power-cycled', 'none'],
  ['reflashed', 'reflashed', 'none'],
]
for (const [title, isolation, output] of cases) {
  test.describe(() => {
    test.use({ isolation })
    test(title, async ({ device }) => {
      const shell = await device.shell()
      await expect(shell).toRun(marked, { output })
      // In the second run the saved state is older than that; on a busy machine the clock of any guest lags.
      // Elsewhere it is only fed: there the kernel does not say so.
      if (title === 'fresh 2' && device.manifest.arch === 'x86-64') {
        await expect(shell).toRun('dmesg | grep -q "crng reseeded due to virtual machine fork"')
      }
      const seconds = Number(await shell.check('date +%s'))
      if (isolation === 'fresh') expect(Math.abs(seconds - Date.now() / 1000), 'clock').toBeLessThan(20)
    })
  })
}

test('rewinds', async ({ device }) => {
  await (await device.shell()).run('echo one >/tmp/step')
  await device.checkpoint('one')
  for (const fault of ['first', 'second']) {
    const shell = await device.shell()
    await expect(shell).toRun('cat /tmp/step', { output: 'one' })
    await shell.run('echo ' + fault + ' >/tmp/step')
    if (fault === 'second') await device.power.off()
    await device.rewind('one')
  }
  await expect(await device.shell()).toRun('cat /tmp/step', { output: 'one' })
  await expect(device.rewind('two')).rejects.toThrow('a checkpoint "two"')
})
`

/** A tree of states: trunk, and on it two branches; one more that cannot be reached. */
const TREE = `
import { defineState, expect, test } from 'bootwright'

const step = (name, from, text = name) => defineState(name, async ({ device }) => {
  const shell = await device.shell()
  await shell.check('echo ' + text + ' >>/tmp/steps')
  await shell.check('[ ' + name + ' != broken ]')
}, { from })
const trunk = step('trunk')
const left = step('left', trunk)
const right = step('right', trunk)
const broken = step('broken', trunk)
const cases = [
  ['trunk', trunk, 'trunk'],
  ['left 1', left, 'trunk left'],
  ['left 2', left, 'trunk left'],
  ['right', right, 'trunk right'],
  ['broken 1', broken, ''],
  ['broken 2', broken, ''],
  ['trunk again', trunk, 'trunk'],
  ['none', undefined, ''],
]
for (const [title, state, steps] of cases) {
  test.describe(() => {
    test.use({ state })
    test(title, async ({ device }) => {
      const shell = await device.shell()
      const found = (await shell.run('cat /tmp/steps 2>/dev/null')).output
      await shell.run('echo ' + 'spoilt >>/tmp/steps')
      expect(found.trim().split('\\n').join(' ')).toBe(steps)
    })
  })
}
`

/** Each in a file of its own, so that they can run side by side. */
const SIDE = (name: string) => `
import { expect, test } from 'bootwright'
test('${name}', async ({ device }) => {
  const shell = await device.shell()
  await expect(shell).toRun('cat /tmp/other 2>/dev/null', { exitCode: 1 })
  await shell.check('echo ${name} >/tmp/other')
})
`

/** How each test's device was made ready, by title. */
function preparedIn(record: RunRecord): Record<string, string | undefined> {
  return Object.fromEntries(
    record.tests.map(entry => [entry.title.at(-1)!, lastAttempt(entry).prepared?.done]),
  )
}

function causesIn(record: RunRecord) {
  return record.devices.flatMap(device => device.boots.map(({ cause }) => cause))
}

describe('isolation', () => {
  let project: TestProject
  let env: NodeJS.ProcessEnv
  let ended: Ended
  before(async () => {
    project = TestProject.create({
      small: { 'small.spec.ts': SPEC },
      tree: { 'tree.spec.ts': TREE },
      wide: { 'one.spec.ts': SIDE('one'), 'two.spec.ts': SIDE('two') },
    })
    env = project.withoutSavedStates()
    ended = await project.run(['run', 'small', '--accel', 'tcg'], env)
  })
  after(() => project[Symbol.dispose]())

  test('each test gets what it asks for, by the cheapest means', () => {
    const record = project.record(project.runs()[0])
    assert.deepEqual(
      preparedIn(record),
      {
        'fresh 1': 'booted',
        'fresh 2': 'restored in a new QEMU',
        'shared 1': 'reused',
        'shared 2, which fails': 'reused',
        'shared 3': 'restored in a new QEMU',
        rebooted: 'rebooted',
        'power-cycled': 'power-cycled',
        reflashed: 'reflashed',
        rewinds: 'reused',
      },
      ended.output,
    )
    assert.deepEqual(
      record.tests.flatMap(entry =>
        lastAttempt(entry).verdict.verdict === 'pass' ? [] : [entry.title.at(-1)],
      ),
      ['shared 2, which fails'],
      ended.output,
    )
    assert.deepEqual(causesIn(record), [
      ...['power-on', 'restore', 'restore', 'reset', 'power-on', 'power-on'],
      ...['restore', 'restore'],
    ])
    assert.match(ended.output, /4 boots/)
  })

  test('a later run starts from the saved state, without a boot', async () => {
    const { code, output } = await project.run(['run', 'small', '--accel', 'tcg', '--title', 'fresh'], env)
    assert.equal(code, 0, output)
    const record = project.record()
    assert.deepEqual(preparedIn(record), {
      'fresh 1': 'restored from disk',
      'fresh 2': 'restored in a new QEMU',
    })
    assert.deepEqual(causesIn(record), ['restore', 'restore'])
  })

  test('two runs that start together make the saved state once', async () => {
    rmSync(join(env['BOOTWRIGHT_CACHE']!, 'snapshots'), { recursive: true })
    const args = ['run', 'small', '--accel', 'tcg', '--title', 'fresh 1']
    const before = project.runs()
    const both = await Promise.all([project.run(args, env), project.run(args, env)])
    assert.deepEqual(
      both.map(({ code }) => code),
      [0, 0],
      both.map(({ output }) => output).join('\n'),
    )
    const done = project
      .runs()
      .filter(run => !before.includes(run))
      .map(run => preparedIn(project.record(run))['fresh 1'])
    assert.deepEqual(done.sort(), ['booted', 'restored from disk'])
    assert.match(
      both.map(({ output }) => output).join('\n'),
      /another run saves the same device: waiting for it/,
    )
  })

  test('states are prepared once, and each test starts in its own', async () => {
    const { code, output } = await project.run(['run', 'tree', '--accel', 'tcg'], env)
    const record = project.record()
    const verdicts = record.tests.map(({ title, attempts }) => {
      const { verdict, code: why } = attempts[0]!.verdict
      return [title.at(-1), verdict, why]
    })
    assert.deepEqual(
      verdicts,
      [
        ...['trunk', 'left 1', 'left 2', 'right'].map(title => [title, 'pass', undefined]),
        ['broken 1', 'fail', 'shell.command.failed'],
        ['broken 2', 'miss', 'state.unreached'],
        ['trunk again', 'pass', undefined],
        ['none', 'pass', undefined],
      ],
      output,
    )
    assert.equal(code, 1, output)
    const again = 'restored in a new QEMU'
    assert.deepEqual(preparedIn(record), {
      trunk: 'booted',
      ...{ 'left 1': again, 'left 2': again, right: again, 'broken 1': again },
      ...{ 'broken 2': undefined, 'trunk again': again, none: again },
    })
    assert.match(output, /1 boot /)
  })

  test('on arm64 it is the same', async () => {
    const { code, output } = await project.run(
      ['run', 'small', '--board', 'qemu-arm64', '--title', 'fresh|rewinds'],
      env,
    )
    assert.equal(code, 0, output)
    assert.deepEqual(preparedIn(project.record()), {
      'fresh 1': 'booted',
      'fresh 2': 'restored in a new QEMU',
      rewinds: 'reused',
    })
  })

  test('two workers have a device each', async () => {
    const { code, output } = await project.run(['run', 'wide', '--accel', 'tcg', '--workers', '2'], env)
    assert.equal(code, 0, output)
    const { devices, tests } = project.record()
    assert.deepEqual(devices.map(({ name }) => name).sort(), [
      'xen-dom0-tiny@qemu-x86-64',
      'xen-dom0-tiny@qemu-x86-64.2',
    ])
    const consoles = tests.map(entry => lastAttempt(entry).console?.folder)
    assert.deepEqual(consoles.sort(), devices.map(device => device.console).sort())
    assert.deepEqual(await project.leftovers(), [])
  })
})
