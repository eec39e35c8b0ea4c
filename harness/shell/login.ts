import { cleanText } from '../console/clean.js'
import { Fault } from '../fault/fault.js'
import { CAN_UNPACK, loaderLine, loaderParts, loopScript } from './loop-script.js'
import { withoutNoise } from './noise.js'
import type { ShellPort } from './port.js'
import { loadQuickly } from './quick-load.js'
import { randomId, Typist } from './typing.js'

export interface LoginOptions {
  /** By default root. */
  login?: string
  password?: string
  /** Ms. */
  timeout: number
  signal?: AbortSignal
  /** The shell that runs the commands, on the device; POSIX. By default `sh`. */
  shell?: string
}

/** Ms in which nothing more comes before the end of the console counts as a prompt. */
const SETTLED = 100
const INTERRUPTED = 300
/** Ms of silence before a newline is sent, to see who is there; longer each time, as a boot may be at work. */
const NUDGES = [1500, 3000, 5000, 8000] as const
/** Bytes typed into a line editor at once. */
const PIECE = 32
const MOST_LOGINS = 3
/** Somebody has spoken on the line of the prompt. */
const SPOILT = /(?<!last )login: *\S/i
const ENTER = /press (?:the )?<?enter>?/i
/** A loop of ours that was left running here. */
const OURS = /~[a-z]{5}(?:>|idle|ready|:[a-z-]+:[a-z-]+)~$/

const [KILL_LINE, INTERRUPT, NEWLINE] = ['\x15', '\x03', '\n']

/**
 * Gets from wherever the console is (booting, a login prompt, a shell, a half-typed line) to our loop in a shell.
 * What looks like a prompt is only a hint to try; that there is a shell is proven by a sum that it computes.
 *
 * @returns the loop's key
 * @throws Fault `shell.login.incorrect`, `shell.login.password`, `shell.login.timeout`, `console.ended`
 */
export async function enterLoop(port: ShellPort, options: LoginOptions): Promise<string> {
  return new Login(port, options).run()
}

class Login {
  readonly #port: ShellPort
  readonly #options: LoginOptions
  readonly #began = performance.now()
  readonly #start: number
  #nudges = 0
  #logins = 0
  #loggedInAt: number | undefined
  #proofs = 0

  constructor(port: ShellPort, options: LoginOptions) {
    this.#port = port
    this.#options = options
    this.#start = port.reader.length
  }

  async run(): Promise<string> {
    for (;;) {
      const line = this.#lastLine()
      if (!(await this.#quiet(SETTLED))) continue
      this.#refused()
      if (/(?<!last )login: *$/i.test(line)) await this.#logIn()
      else if (/password: *$/i.test(line)) await this.#password()
      else if (ENTER.test(line)) await this.#send(NEWLINE)
      else if (SPOILT.test(line) && this.#logins === 0 && this.#nudges === 0) {
        this.#nudges++
        await this.#send(NEWLINE)
      } else if (
        /[#$%>] ?$/.test(line) ||
        OURS.test(line) ||
        (this.#nudges > 0 && line.trim() !== '') ||
        this.#nudges > 3
      ) {
        const key = await this.#install()
        if (key) return key
      } else if (await this.#quiet(NUDGES[Math.min(this.#nudges, NUDGES.length - 1)]!)) {
        this.#nudges++
        await this.#send(KILL_LINE + NEWLINE)
      }
    }
  }

  /** The incomplete line at the end of the console, or the one before it where that says who is there. */
  #lastLine(): string {
    const { reader } = this.#port
    const text = cleanText(
      withoutNoise(reader.readBytes(reader.length - 600, reader.length).toString('latin1')),
    )
    const lines = text.split('\n')
    const last = lines.pop()!
    const before = lines.findLast(line => line.trim() !== '')
    return last.trim() === '' &&
      before &&
      [ENTER, OURS, ...(this.#logins === 0 ? [SPOILT] : [])].some(known => known.test(before))
      ? before
      : last
  }

  /** Whether nothing comes for `ms`. */
  async #quiet(ms: number): Promise<boolean> {
    const { reader } = this.#port
    const left = this.#left()
    const growth = await reader.grown(reader.length, { timeout: Math.min(ms, left), ...this.#signal() })
    if (growth === 'ended') throw this.#ended()
    if (growth === 'timeout' && ms >= left) throw this.#timedOut()
    return growth === 'timeout'
  }

  /** Sends, and gives the answer a moment to begin. */
  async #send(text: string): Promise<void> {
    const { reader } = this.#port
    const length = reader.length
    await this.#port.write(Buffer.from(text))
    await reader.grown(length, { timeout: Math.min(2000, this.#left()), ...this.#signal() })
  }

  async #logIn(): Promise<void> {
    if (this.#logins++ >= MOST_LOGINS) throw this.#incorrect('it asked for a login again and again')
    const { reader } = this.#port
    const name = this.#options.login ?? 'root'
    const from = reader.length
    await this.#port.write(Buffer.from(name))
    const found = await reader.cursor(from).find([name], {
      timeout: Math.min(4000, this.#left()),
      ...this.#signal(),
    })
    if (found.kind === 'match') {
      this.#loggedInAt = from
      await this.#send(NEWLINE)
    } else await this.#send(KILL_LINE)
  }

  async #password(): Promise<void> {
    const { password } = this.#options
    // Somebody else's login, begun before us: an empty password leads back to the login prompt.
    if (this.#loggedInAt === undefined) return this.#send(NEWLINE)
    if (password === undefined) {
      throw new Fault({
        code: 'shell.login.password',
        culprit: 'product',
        expected: `a login as ${this.#options.login ?? 'root'} without a password, as declared`,
        seen: 'the device asks for a password',
        next: 'declare the password of the image, or build the image without one',
        evidence: this.#evidence(),
      })
    }
    await this.#send(password + NEWLINE)
  }

  #refused(): void {
    if (this.#loggedInAt === undefined) return
    const { reader } = this.#port
    const text = reader
      .readBytes(this.#loggedInAt, Math.min(reader.length, this.#loggedInAt + 4096))
      .toString()
    const said = /login incorrect|authentication failure|permission denied|login failed/i.exec(text)?.[0]
    if (said) throw this.#incorrect(`the device said "${said}"`)
  }

  /** Proves that a shell reads our lines, and starts the loop in it; undefined when there is none. */
  async #install(): Promise<string | undefined> {
    const { reader } = this.#port
    const key = randomId()
    const [a, b] = [1000 + Math.floor(Math.random() * 9000), 1000 + Math.floor(Math.random() * 9000)]
    const proof = `r${a + b}${key}`
    const cursor = reader.cursor()
    if (this.#proofs++ > 0) {
      await this.#send(INTERRUPT)
      // What the terminal shows is only the echo: a shell that is still being interrupted would drop our line.
      await this.#quiet(INTERRUPTED)
    }
    const line = `${KILL_LINE} echo r$((${a}+${b}))${key}$(${CAN_UNPACK}&&echo z).;IFS= read -r b;eval "$b"`
    for (let at = 0; at < line.length; at += PIECE) await this.#send(line.slice(at, at + PIECE))
    await this.#send(NEWLINE)
    const silence = 1500 * this.#proofs
    const found = await cursor.find([new RegExp(`${proof}z?\\.`)], {
      timeout: Math.min(silence * 4, this.#left()),
      silence,
      ...this.#signal(),
    })
    if (found.kind === 'ended') throw this.#ended()
    const proven = found.kind === 'match' ? found.match.text : this.#since(cursor.position)
    if (!proven.includes(proof)) {
      this.#nudges = Math.min(this.#nudges, 1)
      if (this.#left() === 0) throw this.#timedOut()
      return undefined
    }
    const shell = this.#options.shell ?? 'sh'
    const packed = proven.includes(`${proof}z`)
    const typist = new Typist(this.#port)
    const type = async (line: (id: string) => string) => {
      const typed = await typist.type(line, { timeout: this.#left(), enter: true, ...this.#signal() })
      return typeof typed !== 'string'
    }
    const script = loopScript(key, shell)
    // What did not come through the quick way is typed with care.
    if (packed && this.#proofs === 1) {
      const limits = { timeout: this.#left(), ...this.#signal() }
      if (!(await loadQuickly(this.#port, typist, { script, shell }, limits))) return undefined
    } else {
      if (!(await type(id => `: ${id};${loaderLine(shell, packed)}`))) return undefined
      for (const part of loaderParts(script, packed)) {
        if (!(await type(id => `${id} ${part}`))) return undefined
      }
    }
    const ready = await cursor.find([`~${key}ready~`], {
      timeout: Math.min(20_000, this.#left()),
      silence: 5000,
      ...this.#signal(),
    })
    return ready.kind === 'match' || this.#since(cursor.position).includes(`~${key}ready~`) ? key : undefined
  }

  #since(from: number): string {
    const { reader } = this.#port
    return withoutNoise(reader.readBytes(from, reader.length).toString('latin1'))
  }

  #left(): number {
    return Math.max(0, this.#began + this.#options.timeout - performance.now())
  }

  #signal(): { signal?: AbortSignal } {
    return this.#options.signal ? { signal: this.#options.signal } : {}
  }

  #evidence(): string[] {
    const since = this.#port.reader.lastLines(15, this.#start)
    return since.length > 0 ? since : this.#port.reader.lastLines(15)
  }

  #incorrect(seen: string): Fault {
    return new Fault({
      code: 'shell.login.incorrect',
      culprit: 'product',
      expected: `a login as ${this.#options.login ?? 'root'}`,
      seen,
      next: 'check the login and password that the image declares',
      evidence: this.#evidence(),
    })
  }

  #timedOut(): Fault {
    const silence = this.#port.reader.silence()
    return new Fault({
      code: 'shell.login.timeout',
      culprit: 'product',
      expected: `a shell on the console within ${(this.#options.timeout / 1000).toFixed(1)} s`,
      seen:
        this.#proofs > 0
          ? 'something that looked like a prompt, but no shell that computes'
          : `neither a login prompt nor a shell; silent for ${((silence ?? 0) / 1000).toFixed(1)} s`,
      next: 'see the lines below: did the boot stop, or does it only need more time?',
      evidence: this.#evidence(),
    })
  }

  #ended(): Fault {
    return new Fault({
      code: 'console.ended',
      culprit: 'undecided',
      expected: 'a shell on the console',
      seen: `the console ended: ${this.#port.reader.source.ended?.() ?? 'it was closed'}`,
      next: 'see what ended it: a power-off that was asked for, the device itself, or a lost QEMU',
      evidence: this.#evidence(),
    })
  }
}
