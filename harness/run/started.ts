import type { ChildProcess } from 'node:child_process'

/** How a started command ended, and all that it printed, standard output and error together. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  output: string
}

/** A command that a test has started, in a process group of its own. */
export class Started {
  readonly ended: Promise<Ended>
  output = ''
  private readonly waiting = new Set<() => void>()

  constructor(private readonly child: ChildProcess) {
    // One that has ended reads no more: its test will say so.
    child.stdin!.on('error', () => {})
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
        for (const wake of this.waiting) wake()
      })
    }
    this.ended = new Promise((resolve, reject) => {
      child.once('error', reject)
      // "exit", not "close": somebody who was left behind may still hold the pipes.
      child.once('exit', (code, signal) => setImmediate(() => resolve({ code, signal, output: this.output })))
    })
  }

  get pid(): number {
    return this.child.pid!
  }

  /** Resolves when it has printed `pattern`. @throws Error with its output when it ends without that */
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.output)) {
      const more = new Promise<'more'>(resolve => this.waiting.add(() => resolve('more')))
      if ((await Promise.race([more, this.ended])) === 'more') continue
      if (!pattern.test(this.output)) throw new Error(`ended without printing ${pattern}:\n${this.output}`)
    }
    this.waiting.clear()
  }

  type(keys: string): void {
    this.child.stdin!.write(keys)
  }

  /** Ctrl-C: the terminal signals the whole foreground group. */
  interrupt(): void {
    process.kill(-this.pid, 'SIGINT')
  }
}
