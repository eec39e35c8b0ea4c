import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { lastAttempt, type RunRecord, type TestRecord } from '../record/record.js'
import { RESULTS } from './results.js'
import type { Ended } from './started.js'
import { TestProject } from './test-project.js'

const SPEC = `
import { expect, test as base } from 'bootwright'

/** A worker that takes its time to end: what a test left running goes on meanwhile. */
const test = base.extend<object, { lingering: undefined }>({
  lingering: [
    async ({}, use) => {
      await use(undefined)
      await new Promise(resolve => setTimeout(resolve, 4_000))
    },
    { scope: 'worker' },
  ],
})

test('passes', async ({ device }) => {
  await expect(await device.shell()).toRun('echo "in $((1 + 1)) passes"', { output: 'in 2 passes' })
})
test('fails an assertion', async ({ device }) => {
  await expect(await device.shell()).toRun('false')
})
test('fails a plain assertion', async ({ device }) => {
  expect(await (await device.shell()).check('echo ab')).toBe('abc')
})
test('runs out of time', async ({ device }) => {
  test.setTimeout(2_000)
  void device
  await new Promise(resolve => setTimeout(resolve, 60_000))
})
test('waits beyond its end', async ({ device }) => {
  test.setTimeout(6_000)
  await device.console.expect('what nobody prints', { timeout: 60_000 })
})
test('asserts beyond its end', async ({ device }) => {
  test.setTimeout(6_000)
  await expect(device.console).toPrint('what nobody prints', { timeout: 60_000 })
})
test('does not await', async ({ device }) => {
  void expect(device.console).toPrint('what nobody prints either')
})
test('throws', async ({ device }) => {
  const none = undefined as unknown as { length: number }
  await device.shell()
  none.length
})
test('kills its worker', async ({ device }) => {
  await (await device.shell()).check('echo "the worker dies"')
  process.kill(process.pid, 'SIGKILL')
  await new Promise(() => {})
})
test('runs on', async ({ device, lingering }) => {
  test.setTimeout(4_000)
  void lingering
  const shell = await device.shell()
  await new Promise(resolve => setTimeout(resolve, 5_000))
  await shell.check('echo "typed too late"')
})
test('blames the lab', async ({ device }) => {
  test.info().annotations.push({ type: 'bootwright.blame', description: 'lab' })
  expect(device.board).toBe('another')
})
test('needs what is not there', { tag: '@needs:warp' }, async ({ device }) => {
  await device.shell()
})
test('passes again', async ({ device }) => {
  await expect(await device.shell()).toRun('echo "in passes $((3 + 4))"', { output: 'in passes 7' })
})
`

/** What the record must say: verdict, culprit, code, rule. */
const EXPECTED: Record<string, [string, string | undefined, string | undefined, string]> = {
  passes: ['pass', undefined, undefined, 'passed'],
  'fails an assertion': ['fail', 'product', 'assertion.failed', 'assertion'],
  'fails a plain assertion': ['fail', 'product', 'assertion.failed', 'assertion'],
  'runs out of time': ['error', 'test', 'test.timeout', 'test-timeout'],
  'waits beyond its end': ['fail', 'product', 'console.expect.timeout', 'fault'],
  'asserts beyond its end': ['fail', 'product', 'console.expect.timeout', 'fault'],
  'does not await': ['error', 'test', 'test.wait.not-awaited', 'fault'],
  throws: ['error', 'test', 'test.threw', 'thrown-by-test'],
  'kills its worker': ['error', 'test', 'test.threw', 'thrown-by-test'],
  'runs on': ['error', 'test', 'test.timeout', 'test-timeout'],
  'blames the lab': ['error', 'lab', 'test.declared', 'declared-by-author'],
  'needs what is not there': ['skip', undefined, 'skip.gated', 'skipped'],
  'passes again': ['pass', undefined, undefined, 'passed'],
}

/** The same in JUnit and in Allure. */
const ELSEWHERE: Record<string, [string | undefined, string]> = {
  pass: [undefined, 'passed'],
  fail: ['failure', 'failed'],
  error: ['error', 'broken'],
  skip: ['skipped', 'skipped'],
}

describe('one run of tests that end in every way', () => {
  let project: TestProject
  let ended: Ended
  let record: RunRecord
  let left: string[]

  const named = (name: string): TestRecord => {
    const found = record.tests.find(candidate => candidate.title.at(-1) === name)
    assert.ok(found, `"${name}" in the record`)
    return found
  }
  const consoleOf = (name: string): string => {
    const range = lastAttempt(named(name)).console
    assert.ok(range, `a range of the console for "${name}"`)
    return Buffer.from(project.read(join(range.folder, 'console.log')))
      .subarray(range.from, range.to)
      .toString()
  }

  after(() => project[Symbol.dispose]())
  before(async () => {
    project = TestProject.create({ every: { 'every.spec.ts': SPEC } })
    ended = await project.run(['run', 'every', '--accel', 'tcg'])
    left = await project.leftovers()
    record = project.record()
  })

  test('boots once', () => {
    assert.deepEqual(
      record.devices.map(device => [...new Set(device.boots.map(({ cause }) => cause))]),
      // After each failure the device is reset: that is no boot.
      [['power-on', 'restore']],
    )
    assert.equal(record.devices[0]!.boots.filter(({ cause }) => cause === 'power-on').length, 1)
    assert.equal(record.devices[0]!.boots.at(-1)!.end, 'power-cut')
  })

  for (const [name, [verdict, culprit, code, rule]] of Object.entries(EXPECTED)) {
    test(`judges "${name}"`, () => {
      const { attempts } = named(name)
      assert.equal(attempts.length, 1)
      const seen = attempts[0]!.verdict
      assert.deepEqual(
        [seen.verdict, seen.culprit, seen.code, seen.rule],
        [verdict, culprit, code, rule],
        seen.message,
      )
    })
  }

  test('ends with the worst exit code', () => {
    assert.deepEqual([ended.code, record.exitCode], [5, 5])
  })

  test('a wait ends before the test does, with evidence of its own', () => {
    for (const name of ['waits beyond its end', 'asserts beyond its end']) {
      const { duration, faults } = lastAttempt(named(name))
      assert.ok(duration < 6_000, `${name}: ${duration} ms`)
      const fault = record.faults.find(({ id }) => id === faults[0])
      assert.equal(fault?.code, 'console.expect.timeout')
      assert.ok(fault.evidence?.length, 'lines of the console')
    }
  })

  test('what a body types after the end of its test is refused, and told', () => {
    const refused = record.faults.filter(({ code }) => code === 'test.device.let-go')
    assert.equal(refused.length, 1)
    assert.match(refused[0]!.seen, /typed too late/)
    const [device] = record.devices
    assert.doesNotMatch(project.read(join(device!.console, 'console.log')), /typed too late/)
  })

  test('attaches to each test what was printed during it', () => {
    assert.match(consoleOf('passes'), /in 2 passes/)
    assert.match(consoleOf('passes again'), /in passes 7/)
    assert.doesNotMatch(consoleOf('passes again'), /in 2 passes|the worker dies/)
    assert.equal(lastAttempt(named('needs what is not there')).console, undefined)
  })

  test('tells JUnit and Allure the same', () => {
    const junit = project.read(RESULTS.junit)
    const cases = new Map(
      junit
        .split('<testcase ')
        .slice(1)
        .map(text => [/ name="([^"]*)"/.exec(` ${text}`)![1]!, /<(failure|error|skipped)/.exec(text)?.[1]]),
    )
    const folder = join(project.root, 'reports', record.run, RESULTS.allure)
    const allure = new Map(
      readdirSync(folder)
        .filter(file => file.endsWith('-result.json'))
        .map(file => JSON.parse(readFileSync(join(folder, file), 'utf8')) as { name: string; status: string })
        .map(({ name, status }) => [name, status]),
    )
    for (const [name, [verdict]] of Object.entries(EXPECTED)) {
      assert.deepEqual([cases.get(name), allure.get(name)], ELSEWHERE[verdict], name)
    }
  })

  test('leaves no process and no temporary folder', () => {
    assert.deepEqual(left, [])
  })
})
