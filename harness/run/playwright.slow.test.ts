import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { lastAttempt } from '../record/record.js'
import { TestServerClient } from './test-server-client.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { expect, test } from 'bootwright'

test('first', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
test('second', async ({ device }) => {
  await expect(await device.shell()).toRun('false')
})
test('third', async ({ device }) => {
  await expect(await device.shell()).toRun('true')
})
`

describe('without our command line', () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ small: { 'small.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  const verdicts = () =>
    project.record().tests.map(entry => [entry.title.at(-1), lastAttempt(entry).verdict.verdict])
  // After a failure the device is reset: that is no boot.
  const boots = () =>
    project
      .record()
      .devices.flatMap(device => device.boots)
      .filter(({ cause }) => cause !== 'restore')

  test('"npx playwright test": the same verdicts and exit code, one boot', async () => {
    const { code, output } = await project.startPlaywright(['test']).ended
    assert.equal(code, EXIT.product, output)
    assert.deepEqual(verdicts(), [
      ['first', 'pass'],
      ['second', 'fail'],
      ['third', 'pass'],
    ])
    assert.equal(boots().length, 1)
    assert.deepEqual(await project.leftovers(), [])
  })

  test("an editor's test server: one boot for all clicks, and it lives on", async () => {
    const server = project.startPlaywright(['test-server'])
    await server.printed(/Listening on (ws:\S+)/)
    const url = /Listening on (ws:\S+)/.exec(server.output)![1]!
    {
      using client = await TestServerClient.connect(url)
      await client.call('initialize', {})
      for (const [title, status] of [
        ['first', 'passed'],
        ['second', 'failed'],
        ['third', 'passed'],
      ] as const) {
        const answer = await client.call('runTests', { grep: title, trace: 'off' })
        assert.equal((answer as { status: string }).status, status, `${title}\n${server.output}`)
        assert.equal(boots().length, 1)
        assert.deepEqual(verdicts(), [[title, status === 'passed' ? 'pass' : 'fail']])
      }
    }
    process.kill(server.pid, 'SIGTERM')
    await server.ended
    assert.deepEqual(await project.leftovers(), [])
  })

  test('two runs at once in one project do not see each other', async () => {
    const args = ['run', '--accel', 'tcg', '--title', 'first|third']
    const runs = await Promise.all([project.run(args), project.run(args)])
    assert.deepEqual(
      runs.map(({ code }) => code),
      [EXIT.passed, EXIT.passed],
      runs.map(({ output }) => output).join('\n'),
    )
    for (const { output } of runs) {
      const record = project.record(/report: reports\/([^/]+)\//.exec(output)![1])
      assert.equal(record.devices.flatMap(device => device.boots).length, 1)
    }
    assert.deepEqual(await project.leftovers(), [])
  })
})
