import { Fault } from '../fault/fault.js'
import { missingProgram, spawnTied, wasMissing } from './tied.js'

export interface RunOptions {
  cwd?: string
  env?: NodeJS.ProcessEnv
  /** Written to the program's standard input, which is then closed. */
  input?: string | Buffer
  signal?: AbortSignal
  /** Gets each chunk of standard output and error as it comes. */
  onOutput?: (chunk: string) => void
}

export interface RunResult {
  code: number
  stdout: Buffer
  stderr: string
}

/**
 * Runs a program to its end and collects its output. Ends it when the signal aborts or this process dies.
 *
 * @throws Fault `process.missing` when the program is not installed; the signal's reason when aborted.
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  options.signal?.throwIfAborted()
  const child = spawnTied(command, args, {
    cwd: options.cwd,
    env: options.env,
    stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  })
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  child.stdout!.on('data', (chunk: Buffer) => {
    stdout.push(chunk)
    options.onOutput?.(chunk.toString())
  })
  child.stderr!.on('data', (chunk: Buffer) => {
    stderr.push(chunk)
    options.onOutput?.(chunk.toString())
  })
  // A program that ends without reading its input is judged by its exit code, not by our broken pipe.
  child.stdin?.on('error', () => {})
  child.stdin?.end(options.input)
  const abort = () => child.kill('SIGTERM')
  options.signal?.addEventListener('abort', abort, { once: true })
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (status, signal) => resolve(status ?? 128 + (signal ? 1 : 0)))
    })
    options.signal?.throwIfAborted()
    const error = Buffer.concat(stderr).toString()
    if (wasMissing(code, error)) throw missingProgram(command)
    return { code, stdout: Buffer.concat(stdout), stderr: error }
  } finally {
    options.signal?.removeEventListener('abort', abort)
  }
}

/** As {@link run}, for a program that must succeed. @throws Fault `code` with the end of what the program said. */
export async function runOrThrow(
  command: string,
  args: readonly string[],
  options: RunOptions & { code: string; expected: string; next: string },
): Promise<RunResult> {
  const result = await run(command, args, options)
  if (result.code === 0) return result
  const said = (result.stderr.trim() || result.stdout.toString().trim()).split('\n').slice(-12)
  throw new Fault({
    code: options.code,
    culprit: 'harness',
    expected: options.expected,
    seen: `${command} ended with exit code ${result.code}`,
    next: options.next,
    evidence: said,
  })
}
