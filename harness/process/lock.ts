import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { spawnTied } from './tied.js'

/**
 * Waits until this process alone holds `file`, and holds it until disposed. The kernel lets go of it when the process
 * ends, however it ends, so that no lock is ever stale.
 *
 * @param waiting called once when another process holds it
 * @throws the signal's reason when aborted
 */
export async function lock(file: string, signal: AbortSignal, waiting: () => void): Promise<AsyncDisposable> {
  signal.throwIfAborted()
  await mkdir(dirname(file), { recursive: true })
  const free = await attempt(file, true, signal)
  if (free) return free
  waiting()
  signal.throwIfAborted()
  const held = await attempt(file, false, signal)
  if (held) return held
  signal.throwIfAborted()
  throw new Error(`flock gave up on ${file}`)
}

/** `cat` starts when `flock` has the lock, says so by echoing a word, and keeps the lock until its input ends. */
async function attempt(
  file: string,
  atOnce: boolean,
  signal: AbortSignal,
): Promise<AsyncDisposable | undefined> {
  const options = ['--exclusive', '--no-fork', ...(atOnce ? ['--nonblock'] : [])]
  const holder = spawnTied('flock', [...options, file, 'cat'], { stdio: ['pipe', 'pipe', 'ignore'] })
  const closed = once(holder, 'close')
  const abort = () => holder.kill('SIGKILL')
  signal.addEventListener('abort', abort, { once: true })
  holder.stdin!.on('error', () => {})
  holder.stdin!.write('held\n')
  try {
    const held = await Promise.race([once(holder.stdout!, 'data').then(() => true), closed.then(() => false)])
    if (!held) return undefined
  } finally {
    signal.removeEventListener('abort', abort)
  }
  return {
    [Symbol.asyncDispose]: async () => {
      holder.stdin!.end()
      await closed
    },
  }
}
