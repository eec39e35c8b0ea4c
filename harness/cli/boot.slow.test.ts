import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { TestProject } from '../run/test-project.js'

describe('bootwright boot', { concurrency: 2 }, () => {
  let projects: TestProject[]
  before(() => {
    projects = Array.from({ length: 2 }, () => TestProject.create({}))
  })
  after(() => {
    for (const project of projects) project[Symbol.dispose]()
  })

  test('in a terminal: shows the console, leaves with its key, and leaves the terminal as it was', async () => {
    const [project] = projects
    const sitting = project!.startInTerminal([
      'boot',
      'qemu-x86-64',
      '--image',
      'xen-dom0-tiny',
      '--accel',
      'tcg',
    ])
    await sitting.printed(/ctrl-\\ leaves/)
    await sitting.printed(/login: $/)
    sitting.type('\x1c')
    await sitting.ended
    assert.match(sitting.output, /exit code 0\r\n/)
    assert.match(sitting.output, /off; the console is kept in reports\//)
    for (const setting of ['icanon', 'echo', 'isig', 'icrnl', 'opost']) {
      assert.match(sitting.output, new RegExp(`(?<![-\\w])${setting}\\b`), setting)
    }
    assert.deepEqual(await project!.leftovers(), [])
  })

  test('without a terminal: types what comes in, and ends when the device switches itself off', async () => {
    const project = projects[1]!
    // The image is not said: the first that fits the board is taken.
    const sitting = project.start(['boot', 'qemu-x86-64', '--accel', 'tcg'])
    await sitting.printed(/login: $/)
    sitting.type('root\n')
    await sitting.printed(/root@dom0:\S*# /)
    sitting.type('poweroff\n')
    const { code, output } = await sitting.ended
    assert.equal(code, EXIT.passed, output)
    assert.deepEqual(await project.leftovers(), [])
  })
})
