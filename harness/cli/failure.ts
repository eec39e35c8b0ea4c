import pc from 'picocolors'
import { EXIT, exitCodeOf } from '../fault/exit.js'
import { Fault } from '../fault/fault.js'

/** Ends the program with one clear message and the exit code of the fault's culprit; no stack for what we foresaw. */
export function failWith(error: unknown): never {
  if (isAbort(error)) {
    process.stderr.write('interrupted\n')
    process.exit(EXIT.interrupted)
  }
  const fault = Fault.wrap(error)
  process.stderr.write(`${pc.createColors(Boolean(process.stderr.isTTY)).red('error:')} ${fault.message}\n`)
  process.exit(exitCodeOf(fault.culprit))
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError'
}

/** A signal that Ctrl-C aborts, for work that this process does by itself. */
export function interruptible(): { signal: AbortSignal; done(): void } {
  const controller = new AbortController()
  const abort = () => controller.abort()
  process.once('SIGINT', abort)
  process.once('SIGTERM', abort)
  return {
    signal: controller.signal,
    done: () => {
      process.off('SIGINT', abort)
      process.off('SIGTERM', abort)
    },
  }
}
