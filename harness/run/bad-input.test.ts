import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { expect, test } from 'bootwright'
test('is never reached', async ({ device }) => {
  await device.shell()
})
`

describe('bad input is told in one message, before a board is touched', () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ small: { 'small.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  const refused = async (
    args: readonly string[],
    code: number,
    messages: readonly RegExp[],
    { env = {}, within = project }: { env?: NodeJS.ProcessEnv; within?: TestProject } = {},
  ) => {
    const ended = await within.run(args, env)
    assert.equal(ended.code, code, ended.output)
    for (const message of messages) assert.match(ended.output, message)
    assert.doesNotMatch(ended.output, /^\s+at .*:\d+:\d+\)?$/m, 'no stack')
    assert.equal((ended.output.match(/^error:/gm) ?? []).length <= 1, true, ended.output)
  }

  describe('of each kind', { concurrency: 2 }, () => {
    test('names that do not exist, with the nearest that does', async () => {
      await Promise.all([
        refused(['run', '--board', 'qemu-x86-46'], EXIT.usage, [
          /no board "qemu-x86-46"/,
          /mean "qemu-x86-64"/,
        ]),
        refused(['run', '--image', 'xen-dom-tiny'], EXIT.usage, [
          /no image "xen-dom-tiny"/,
          /mean "xen-dom0-tiny"/,
        ]),
        refused(['run', 'suites/smal'], EXIT.usage, [/no suite "suites\/smal"/, /mean "suites\/small"/]),
        refused(['run', '--lab', 'locale'], EXIT.usage, [/no lab "locale"/, /mean "local"/]),
        refused(['run', '--defect', 'panic'], EXIT.usage, [/no defect "panic"/, /mean "panics"/]),
        refused(['build', 'xen'], EXIT.usage, [/no image "xen"/]),
        refused(['boot', 'qemu'], EXIT.usage, [/no board "qemu"/]),
        refused(['report', 'yesterday'], EXIT.usage, [/no run "yesterday"/]),
      ])
    })

    test('options and verbs that do not exist, and values that do not fit', async () => {
      await Promise.all([
        refused(['run', '--bord', 'x'], EXIT.usage, [/bord/, /--help/]),
        refused(['rum'], EXIT.usage, [/rum|run/]),
        refused([], EXIT.usage, [/a command is needed/]),
        refused(['run', '--accel', 'warp'], EXIT.usage, [/accel/]),
        refused(['run', '--boot-timeout', 'soon'], EXIT.usage, [/boot-timeout/]),
        refused(['run', '--title', '('], EXIT.usage, [/--title/]),
        refused(['boot', 'qemu-x86-64', '--leave', 'escape'], EXIT.usage, [/ctrl-/]),
      ])
    })

    test('a wrong key in a lab file and in an image file: file, line and field', async () => {
      using other = TestProject.create({ small: { 'small.spec.ts': SPEC } })
      other.write(
        'labs/wrong.yaml',
        'boards:\n  one:\n    driver: qemu\n    clas: x\n    class: x\n    arch: x86-64\n    memory: 1G\n    cpus: 1\n',
      )
      const good = readFileSync(join(other.root, 'images/xen-dom0-tiny/image.yaml'), 'utf8')
      other.write('images/odd/image.yaml', `${good}\nfeature: []\n`)
      await refused(
        ['run', '--lab', 'wrong'],
        EXIT.usage,
        [/labs\/wrong\.yaml:4:5: boards\.one\.clas: /, /mean "class"/],
        { within: other },
      )
      await refused(
        ['run', '--image', 'odd'],
        EXIT.usage,
        [/images\/odd\/image\.yaml:\d+:1: feature/, /mean "features"/],
        { within: other },
      )
    })

    test('a test file that does not compile: file and line, exit code 5', async () => {
      using other = TestProject.create({
        broken: { 'broken.spec.ts': `${SPEC}\ntest('half', async ({ device }) => {\n` },
      })
      await refused(['run'], EXIT.test, [/suites\/broken\/broken\.spec\.ts:\d+/], { within: other })
      await refused(['list', 'tests'], EXIT.test, [/broken\.spec\.ts/], { within: other })
      assert.equal(other.record().exitCode, EXIT.test)
    })

    test('a title that matches nothing is not green', async () => {
      await refused(['run', '--title', 'is ever reached'], EXIT.nothingRan, [
        /^nothing ran: no test matches \/is ever reached\/; the nearest: "is never reached"/m,
      ])
    })

    test('a selection without a test, and a file that does not compile, are told before an image is built', async () => {
      using other = TestProject.create({ small: { 'small.spec.ts': SPEC } })
      const cache = join(other.root, 'cache')
      const options = { env: { BOOTWRIGHT_CACHE: cache }, within: other }
      await refused(
        ['run', '--tag', 'slow'],
        EXIT.nothingRan,
        [/^nothing ran: no test matches @slow/m],
        options,
      )
      other.write('suites/small/small.spec.ts', `${SPEC}\ntest('half', async () => {\n`)
      await refused(['run'], EXIT.test, [/small\.spec\.ts:\d+/], options)
      assert.equal(existsSync(cache), false, 'nothing was built')
    })

    test('retries are refused, in the configuration and in a file', async () => {
      using other = TestProject.create({ small: { 'small.spec.ts': SPEC } })
      other.write(
        'playwright.config.ts',
        `import { bootwrightConfig } from 'bootwright/config'\nexport default { ...bootwrightConfig(), retries: 1 }\n`,
      )
      await refused(['run'], EXIT.usage, [/retries are refused/], { within: other })
      other.write(
        'playwright.config.ts',
        `import { bootwrightConfig } from 'bootwright/config'\nexport default bootwrightConfig()\n`,
      )
      other.write('suites/small/small.spec.ts', `${SPEC}\ntest.describe.configure({ retries: 2 })\n`)
      await refused(['run'], EXIT.usage, [/retries are refused/], { within: other })
      const reports = join(other.root, 'reports')
      assert.ok(
        readdirSync(reports).every(run => !existsSync(join(reports, run, 'consoles'))),
        'nothing was booted',
      )
    })

    test('a machine without QEMU, and one without setpriv', async () => {
      const without = (program: RegExp) => {
        const folder = join(project.root, `path-without-${program.source.replaceAll(/\W/g, '')}`)
        mkdirSync(folder)
        for (const from of ['/usr/sbin', '/usr/bin', '/bin'])
          for (const name of readdirSync(from)) {
            if (!program.test(name) && !existsSync(join(folder, name)))
              symlinkSync(join(from, name), join(folder, name))
          }
        return { PATH: folder }
      }
      await refused(
        ['run', '--accel', 'tcg'],
        EXIT.lab,
        [/qemu-system-x86_64 is not installed/, /apt-get install qemu-system-x86/],
        { env: without(/^qemu-system-/) },
      )
      await refused(
        ['run', '--accel', 'tcg'],
        EXIT.harness,
        [/setpriv is not installed/, /bootwright doctor/],
        { env: without(/^setpriv$/) },
      )
    })
  })

  test('none of them leaves anything behind', async () => {
    assert.deepEqual(await project.leftovers(), [])
  })
})
