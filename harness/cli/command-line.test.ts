import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EXIT } from '../fault/exit.js'
import { TestProject } from '../run/test-project.js'
import type { Plan } from '../run/plan.js'

const SPEC = `
import { expect, test } from 'bootwright'
test.describe('group', { tag: '@boot' }, () => {
  test('one', async ({ device }) => { await device.shell() })
  test('two', { tag: '@slow' }, async ({ device }) => { await device.shell() })
})
test('three', { tag: '@needs:warp' }, async ({ device }) => { await device.shell() })
`
/** Prints the address of each module that is loaded. */
const TELL_MODULES = `data:text/javascript,${encodeURIComponent(`
import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(
  'export async function load(url, c, next) { process._rawDebug("loaded " + url); return next(url, c) }'))
`)}`

describe('the command line', { concurrency: 2 }, () => {
  let project: TestProject
  before(() => {
    project = TestProject.create({ one: { 'one.spec.ts': SPEC }, two: { 'two.spec.ts': SPEC } })
  })
  after(() => project[Symbol.dispose]())

  const json = async <T>(...args: string[]): Promise<T> => {
    const { code, output } = await project.run(args)
    assert.equal(code, EXIT.passed, output)
    return JSON.parse(output) as T
  }
  const completions = async (...words: string[]) => {
    const { output } = await project.run(['--get-yargs-completions', 'bootwright', ...words])
    return output.trim().split('\n')
  }

  /** What `bootwright ...` loads, below dist/; packages that were not packed with their whole path. */
  const loadedBy = async (...args: string[]) => {
    const { output, code } = await project.run(args, { NODE_OPTIONS: `--import ${TELL_MODULES}` })
    assert.equal(code, EXIT.passed, output)
    const dist = new URL('../..', import.meta.url).href
    return [...output.matchAll(/^loaded (file:.*)$/gm)].map(match => match[1]!.replace(dist, ''))
  }

  test('starts with the light files of its verbs, and packages that are packed', async () => {
    const loaded = await loadedBy('--help')
    assert.ok(loaded.includes('harness/cli/main.js'))
    const light =
      /^(harness\/(cli\/\w+|fault\/(exit|fault))|node_modules\/(yargs\/|picocolors\/|shared\/).*)\.js$/
    assert.deepEqual(
      loaded.filter(file => !light.test(file)),
      [],
    )
  })

  test('completes a verb without a look at its options', async () => {
    const loaded = await loadedBy('--get-yargs-completions', 'bootwright', 'b')
    assert.ok(loaded.includes('harness/cli/completion.js'))
    assert.deepEqual(
      loaded.filter(file => file.includes('yargs')),
      [],
    )
  })

  test('prints the plan, as text and as JSON, and does nothing', async () => {
    const plan = await json<Plan>(
      'run',
      'one',
      '--board',
      'all',
      '--tag',
      'boot',
      '--title',
      'o',
      '--dry-run',
      '--json',
    )
    assert.deepEqual(
      plan.projects.map(({ name, boards, suites }) => [
        name,
        boards.map(b => b.name),
        suites.map(s => s.name),
      ]),
      [
        ['xen-dom0-tiny@qemu-x86-64', ['qemu-x86-64'], ['one']],
        ['xen-dom0-tiny@qemu-arm64', ['qemu-arm64'], ['one']],
      ],
    )
    assert.deepEqual([plan.tags, plan.title, plan.bootTimeout], [['boot'], 'o', 180_000])
    const { output } = await project.run(['run', '--dry-run'])
    assert.match(
      output,
      /xen-dom0-tiny@qemu-x86-64\n {2}board qemu-x86-64: qemu, x86-64, 1(\.0)?G, 2 cpus\n {2}suite one/,
    )
    assert.deepEqual(project.runs(), [])
  })

  test('lists boards, images, suites and tests, and why a test would not run', async () => {
    const boards = await json<{ name: string; class: string }[]>('list', 'boards', '--json')
    assert.deepEqual(
      boards.map(board => board.name),
      ['qemu-x86-64', 'qemu-arm64'],
    )
    const all = await json<Record<string, { name: string }[]>>('list', '--json')
    assert.deepEqual(Object.keys(all), ['boards', 'images', 'suites', 'tests'])
    assert.deepEqual(
      all['images']!.map(({ name }) => name),
      ['xen-dom0-tiny'],
    )
    assert.deepEqual(
      all['suites']!.map(({ name }) => name),
      ['one', 'two'],
    )
    const tests = await json<{ title: string[]; file: string; tags: string[]; wouldNotRun?: string }[]>(
      'list',
      'tests',
      '--json',
    )
    assert.equal(tests.length, 6)
    const [two] = tests.filter(
      ({ title, file }) => title.at(-1) === 'two' && file === 'suites/one/one.spec.ts',
    )
    assert.deepEqual(two?.tags, ['@boot', '@slow'])
    const three = tests.filter(({ title }) => title.at(-1) === 'three')
    assert.deepEqual(
      three.map(entry => entry.wouldNotRun),
      Array(2).fill('xen-dom0-tiny does not declare warp'),
    )
    const { output } = await project.run(['list', 'tests'])
    assert.match(output, /three .*\(would not run\)/)
  })

  test('completes images, boards and suites where they belong', async () => {
    assert.deepEqual(await completions('run', '--image', ''), ['xen-dom0-tiny'])
    assert.deepEqual(await completions('boot', 'qemu-a'), ['qemu-arm64'])
    assert.deepEqual(await completions('run', ''), ['suites/one', 'suites/two'])
    assert.deepEqual(await completions('b'), ['build', 'boot'])
    assert.deepEqual(await completions('run', 'suites/one', '--boot'), ['--boot-timeout'])
  })

  test('says where the report of a run is, the last one when none is named', async () => {
    using other = TestProject.create({ one: { 'one.spec.ts': SPEC } })
    assert.equal((await other.run(['report', '--path'])).code, EXIT.usage)
    for (const run of ['20260101-000000-aaaa', '20260102-000000-bbbb'])
      other.write(`reports/${run}/record.json`, '{}')
    const last = await other.run(['report', '--path'])
    assert.match(last.output, /reports\/20260102-000000-bbbb\/html\/index\.html\n$/)
    const first = await other.run(['report', '20260101-000000-aaaa', '--path'])
    assert.match(first.output, /reports\/20260101-000000-aaaa\/html\/index\.html\n$/)
  })
})
