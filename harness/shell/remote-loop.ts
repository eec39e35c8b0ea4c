import type { Cursor } from '../console/cursor.js'
import { withoutNoise } from './noise.js'
import { exactOutput, proven, type Size } from './output.js'
import type { ShellPort } from './port.js'
import { Typist } from './typing.js'
import { deviceGone, GONE, lineDeaf, outputTorn, shellEnded, type Scene } from './words.js'

/** Payload of one typed line: short, as a torn line is typed again from its start (and canonical lines end at 4095). */
const PART = 512
/** Ms without a word from the device before it is asked again. */
const ANSWER_SILENCE = 1000
const REPORT_SILENCE = 3000
const LONGEST_SILENCE = 10_000
const CONTENT_SILENCE = 2000
/** Ms after which it is looked whether a foreign line tore an answer apart. */
const PAUSE = 200
const ROUNDS = 6
/** Ms that a line may take to be typed, even if the command's own time is shorter. */
const ECHO = 8000

/** A command that runs: its id, and from where in the recording on its report can come. */
export interface Started {
  id: string
  at: number
}

/** What the loop reports of a command. */
export interface Report {
  id: string
  exitCode: number
  size: Size
  /** Where in the recording its output begins. */
  at: number
}

export interface Limits {
  /** By `performance.now()`. */
  deadline: number
  signal?: AbortSignal
}

/** The host's side of the loop that runs in the remote shell (see `loop-script.ts`). */
export class RemoteLoop {
  readonly port: ShellPort
  readonly key: string
  readonly #typist: Typist

  constructor(port: ShellPort, key: string) {
    this.port = port
    this.key = key
    this.#typist = new Typist(port)
  }

  /** Types a command and starts it. It is sent again only for as long as it is certain that it never started. */
  async start(command: string, kind: '=' | '-' | 't', scene: Scene, limits: Limits): Promise<Started> {
    const parts = encode(command)
    const last = parts.pop()!
    for (const part of parts) await this.#accepted('+', part, scene, limits)
    return this.#accepted(kind, last, scene, limits)
  }

  async #accepted(kind: string, payload: string, scene: Scene, limits: Limits): Promise<Started> {
    for (let round = 0; round < ROUNDS; round++) {
      const cursor = this.port.reader.cursor()
      const id = await this.#type(kind, payload, scene, limits)
      if (await this.#answered(id, cursor, scene, limits)) return { id, at: cursor.position }
    }
    throw lineDeaf(scene, `${ROUNDS} attempts reached the device damaged`)
  }

  async #type(kind: string, payload: string, scene: Scene, limits: Limits): Promise<string> {
    const line = (id: string) => `${id} ${kind} ${payload.length} ${payload}`
    // A deadline that passes while we type says nothing about the device: it gets its time to echo all the same.
    const typing = left({ ...limits, deadline: Math.max(limits.deadline, performance.now() + ECHO) })
    const typed = await this.#typist.type(line, typing).catch((error: unknown) => {
      throw this.port.reader.source.ended?.() === undefined ? error : this.#ended(scene)
    })
    if (typed === 'ended') throw this.#ended(scene)
    if (typed === 'no echo') throw deviceGone(scene, 'typed characters are no longer echoed')
    if (typed === 'torn') throw lineDeaf(scene, 'what was echoed was never what had been typed')
    await this.port.write(NEWLINE)
    return typed.id
  }

  /** Whether the line with this id was taken; false when it certainly was not. */
  async #answered(id: string, cursor: Cursor, scene: Scene, limits: Limits): Promise<boolean> {
    const from = cursor.position
    for (let silences = 0; ; silences++) {
      const found = await cursor.find([`~${id}^~`, `~${id}+~`, `~${id}!~`, this.#bye, ...GONE], {
        ...left(limits),
        silence: silences === 0 ? PAUSE : ANSWER_SILENCE,
      })
      if (found.kind === 'match') {
        const { index, text } = found.match
        if (index >= 3) await this.#over(index === 3, text, cursor, scene)
        return index < 2
      }
      if (found.kind === 'ended') throw this.#ended(scene)
      const text = this.#textSince(from)
      if (text.includes(`~${id}^~`) || text.includes(`~${id}+~`)) return true
      if (text.includes(`~${id}!~`)) return false
      if (found.kind === 'timeout') return true
      // The newline itself may be what was lost; to a loop that has the line, an empty one means nothing.
      if (silences === 1) await this.port.write(NEWLINE)
      if (silences > 1) {
        const state = await this.query(scene, limits)
        return !state || state.part === id || state.command === id
      }
    }
  }

  /**
   * Waits for the report of a command; undefined when the deadline came first. `foreign`: what is on the line is another
   * device's console, whose boot or panic is not ours.
   */
  async report(
    { id, at: from }: Started,
    scene: Scene,
    limits: Limits & { foreign?: boolean },
  ): Promise<Report | undefined> {
    const cursor = this.port.reader.cursor(from)
    const header = new RegExp(
      `~${id}<(\\d+):\\s*(?:([0-9a-f]{32}) [^\\n]*\\n\\s*|(\\d+) +)?(\\d+)[^\\S\\n]*\\n`,
    )
    let seen = from
    let silence = PAUSE
    for (;;) {
      const found = await cursor.find([header, this.#bye, ...(limits.foreign ? [] : GONE)], {
        ...left(limits),
        silence,
      })
      if (found.kind === 'match') {
        const { index, text, match, to } = found.match
        if (index > 0) await this.#over(index === 1, text, cursor, scene)
        const [, exitCode, md5, sum, bytes] = match
        return {
          id,
          exitCode: Number(exitCode),
          size: { bytes: Number(bytes), sum: sum === undefined ? md5 : Number(sum) },
          at: to,
        }
      }
      if (found.kind === 'ended') throw this.#ended(scene)
      if (found.kind === 'timeout') return undefined
      // Only something foreign on the line can have torn the report. Whether it did, the loop itself knows.
      let torn = false
      if (this.port.reader.length > seen && !limits.foreign) {
        torn = this.#textSince(seen).includes(`~${id}<`)
        if (!torn && silence > PAUSE) {
          torn = (await this.query(scene, limits))?.command === id
          seen = this.port.reader.length
        }
        if (torn) seen = await this.#again(scene, limits)
      }
      silence = torn ? PAUSE : Math.min(Math.max(silence * 2, REPORT_SILENCE), LONGEST_SILENCE)
    }
  }

  async #again(scene: Scene, limits: Limits): Promise<number> {
    const at = this.port.reader.length
    await this.#type('@', '', scene, limits)
    return at
  }

  /** The exact output of the last command. @throws Fault `shell.output.torn` when it cannot be had */
  async output(report: Report, scene: Scene, limits: Limits): Promise<{ output: Buffer; to: number }> {
    const { reader } = this.port
    if (report.size.bytes === 0) return { output: Buffer.alloc(0), to: report.at }
    const end = `~${report.id}>~`
    const cursor = reader.cursor(report.at)
    // A slow device sends it late; only what has come torn is asked for again.
    for (let silence = PAUSE; silence <= LONGEST_SILENCE;) {
      const before = reader.length
      const found = await cursor.find([end], { ...left(limits), silence })
      if (found.kind === 'ended') throw this.#ended(scene)
      const matched = found.kind === 'match'
      const [printed, after] = matched
        ? [reader.readBytes(report.at, found.match.from).toString('latin1'), '']
        : this.#textSince(report.at).split(end)
      if (after !== undefined) {
        const output = exactOutput(printed!, report.size)
        if (output) return { output, to: matched ? found.match.to : reader.length }
        break
      }
      if (found.kind === 'timeout') break
      if (reader.length === before || silence === PAUSE) silence = Math.max(2 * silence, CONTENT_SILENCE)
    }
    return { output: await this.#fetch(report.size, scene, limits), to: reader.length }
  }

  /** The output in an armour of numbered lines, as often as it takes until each has come through whole once. */
  async #fetch(size: Size, scene: Scene, limits: Limits): Promise<Buffer> {
    const lines = new Map<number, string>()
    const ids: string[] = []
    const from = this.port.reader.length
    for (let round = 0; round < ROUNDS; round++) {
      const cursor = this.port.reader.cursor()
      ids.push(await this.#type('b', '', scene, limits))
      // The answer to an earlier round is as good.
      const any = ids.join('|')
      const end = new RegExp(`~(?:${any});(\\d+)~`)
      const silence = Math.min(REPORT_SILENCE * 2 ** round, LONGEST_SILENCE)
      const found = await cursor.find([end], { ...left(limits), silence })
      if (found.kind === 'ended') throw this.#ended(scene)
      if (found.kind === 'timeout') break
      const text = this.#textSince(from)
      for (const [, number, line] of text.matchAll(
        new RegExp(`~(?:${any})\\.(\\d+)\\.([A-Za-z0-9+/= ]*)~`, 'g'),
      )) {
        lines.set(Number(number), line!)
      }
      const total = end.exec(text)?.[1]
      if (total === undefined || lines.size < Number(total)) continue
      const output = proven(decode([...lines].sort(([a], [b]) => a - b).map(([, line]) => line)), size)
      if (output) return output
      lines.clear()
    }
    throw outputTorn(scene, `${size.bytes} bytes were printed, but they never came through whole`)
  }

  /** How far the loop is; undefined when it does not answer (it still runs a command). */
  async query(scene: Scene, limits: Limits): Promise<{ part: string; command: string } | undefined> {
    for (let round = 0; round < 2; round++) {
      const cursor = this.port.reader.cursor()
      const from = cursor.position
      const id = await this.#type('?', '', scene, limits)
      const answer = new RegExp(`~${id}:([a-z-]+):([a-z-]+)~`)
      const found = await cursor.find([answer, this.#bye], { ...left(limits), silence: ANSWER_SILENCE })
      if (found.kind === 'ended') throw this.#ended(scene)
      if (found.kind === 'match' && found.match.index === 1)
        await this.#over(true, found.match.text, cursor, scene)
      const [, part, command] = answer.exec(this.#textSince(from)) ?? []
      if (part && command) return { part, command }
    }
    return undefined
  }

  /** Whether the kernel still echoes what is typed, whatever runs. */
  async echoes(limits: Limits): Promise<boolean> {
    const typed = await this.#typist.type(id => id, { ...left(limits), attempts: 3 })
    return typed !== 'no echo' && typed !== 'ended'
  }

  /** Where the loop's own shell said that it ended. */
  get #bye(): RegExp {
    return new RegExp(`~${this.key}/(\\d+)~`)
  }

  async #over(ended: boolean, text: string, cursor: Cursor, scene: Scene): Promise<never> {
    if (ended) throw shellEnded(scene, `the shell ended with exit code ${/\d+/.exec(text)?.[0]}`)
    // A panic or a banner alone is a poor proof: what follows within a moment belongs to it.
    const from = cursor.position - Buffer.byteLength(text)
    await cursor.find(['\0never\0'], { timeout: 2000, silence: 300 })
    const [line] = this.port.reader
      .readBytes(from, from + 200)
      .toString()
      .split(/[\r\n]/)
    throw deviceGone(scene, `the console shows "${line}"`)
  }

  #ended(scene: Scene): Error {
    return deviceGone(scene, `the console ended: ${this.port.reader.source.ended?.() ?? 'it was closed'}`)
  }

  #textSince(from: number): string {
    const { reader } = this.port
    return withoutNoise(reader.readBytes(from, reader.length).toString('latin1'))
  }
}

const NEWLINE = Buffer.from('\n')

function left(limits: Limits): { timeout: number; signal?: AbortSignal } {
  const timeout = Math.max(0, limits.deadline - performance.now())
  return { timeout, ...(limits.signal && { signal: limits.signal }) }
}

/** Printable ASCII as it is, all else as `\0ooo`; in parts that fit a line, none of which cuts an escape in two. */
function encode(command: string): string[] {
  const parts: string[] = []
  let part = ''
  for (const byte of Buffer.from(command)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c
    part += plain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`
    if (part.length < PART) continue
    parts.push(part)
    part = ''
  }
  return [...parts, part]
}

function decode(lines: readonly string[]): Buffer {
  const hex = lines.every(line => /^ *[0-9a-f]{2}(?: +[0-9a-f]{2})* *$/.test(line))
  return hex ? Buffer.from(lines.join('').replaceAll(' ', ''), 'hex') : Buffer.from(lines.join(''), 'base64')
}
