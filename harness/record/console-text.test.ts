import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeChannel } from '../channel/fake-channel.js'
import { Recording } from '../console/recording.js'
import { writeBootTexts } from './boot-texts.js'
import { consoleText } from './console-text.js'
import type { Device } from './record.js'

const FOLDER = 'consoles/x@y'

/** A run with one device that has said `boots`, each in a boot of its own. */
function run(t: TestContext, ...boots: string[]): { runFolder: string; device: Device } {
  const runFolder = mkdtempSync(join(tmpdir(), 'bw-run-'))
  t.after(() => rmSync(runFolder, { recursive: true }))
  const recording = Recording.create(join(runFolder, FOLDER))
  const channel = new FakeChannel()
  recording.attach(channel)
  const device: Device = {
    name: 'x@y',
    project: 'x@y',
    board: 'shelf-3',
    boardClass: 'y',
    facts: {},
    console: FOLDER,
    boots: [],
    findings: [],
  }
  for (const [index, said] of boots.entries()) {
    const { offset, at } = recording.mark('boot', 'reset')
    device.boots.push({ ordinal: index + 1, cause: 'reset', startedAt: at, from: offset, stages: [] })
    channel.say(said)
    recording.flush()
  }
  recording.close()
  return { runFolder, device }
}
const textOf = ({ runFolder, device }: ReturnType<typeof run>, from: number, to: number, most?: number) =>
  consoleText(
    runFolder,
    [{ board: 'other', console: 'consoles/x@y-2' }, device],
    { folder: FOLDER, from, to },
    most,
  )

test("a test's part of the console begins with board, boots and range", t => {
  const made = run(t, 'one\n', 'two\n')
  const both = textOf(made, 2, 8)
  assert.equal(both.reference, 'boots 1 to 2, bytes 2 to 8 of consoles/x@y/console.log')
  const [heading, , boot, line] = both.text.split('\n')
  assert.equal(heading, `board shelf-3, ${both.reference}`)
  assert.match(boot!, /^---- boot 1: /)
  assert.match(line!, / {2}e$/)
  assert.ok(both.text.endsWith('  two\n'))
  assert.equal(textOf(made, 4, 8).reference, 'boot 2, bytes 4 to 8 of consoles/x@y/console.log')
})

test('that nothing was printed is said', t => {
  assert.match(textOf(run(t, 'one\n'), 4, 4).text, /^board shelf-3, boot 1, .*\n.*\nnothing was printed\n$/)
})

test('it is bounded', t => {
  const made = run(t, 'line\n'.repeat(2500))
  const { text } = textOf(made, 0, 12_500)
  assert.equal(text.match(/ {2}line$/gm)!.length, 2000)
  assert.match(text, /^---- 500 lines left out here: bytes 5000 to 7500 ----$/m)
})

test('each boot has a text of its own, which begins with board, cause, when and end', t => {
  const made = run(t, 'login: ', 'line\n'.repeat(2500), '')
  const { runFolder, device } = made
  device.boots[0]!.end = 'power-cut'
  device.boots[1]!.startedAt = Date.UTC(2026, 1, 3, 4, 5, 6, 7)
  device.boots[1]!.cause = 'power-on'
  writeBootTexts([device], runFolder)
  const read = (ordinal: number) =>
    readFileSync(join(runFolder, FOLDER, `boot-${ordinal}.txt`), 'utf8').split('\n')
  assert.match(read(1)[0]!, /^board shelf-3, boot 1: reset at \S+Z, end: power-cut$/)
  assert.match(read(1)[1]!, /^bytes 0 to 7 of consoles\/x@y\/console\.log; /)
  assert.match(read(1).slice(3).join('\n'), /^\S+ +\S+ {2}login:\n$/)
  assert.equal(read(2)[0], 'board shelf-3, boot 2: power-on at 2026-02-03T04:05:06.007Z, end: none seen')
  assert.equal(read(2).filter(line => line.endsWith('  line')).length, 2500, 'a boot is whole')
  assert.match(read(3)[1]!, /^bytes 12507 to 12507 /)
  assert.deepEqual(
    readdirSync(join(runFolder, FOLDER)).filter(file => file.startsWith('boot')),
    ['boot-1.txt', 'boot-2.txt', 'boot-3.txt'],
  )
})

test('a run whose board never came to a boot has no texts', t => {
  const { runFolder, device } = run(t)
  writeBootTexts([device], runFolder)
  assert.deepEqual(readdirSync(join(runFolder, FOLDER)).sort(), ['console.index', 'console.log'])
})
