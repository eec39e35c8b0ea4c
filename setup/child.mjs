import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/**
 * Runs a program to its end in our place: our input and output unless told otherwise, our signals, its exit code. The
 * terminal sends Ctrl-C to both of us; the program decides when it is done, we only wait.
 *
 * @param {import('node:child_process').SpawnOptions & { signal?: AbortSignal }} options
 * @returns {Promise<number>} the exit code; 128 and the signal's number when a signal ended it
 */
export async function runInOurPlace(command, args, { signal: stop, ...options } = {}) {
  const child = spawn(command, args, { stdio: 'inherit', ...options })
  const ignore = () => {}
  const forward = signal => child.kill(signal)
  const end = () => child.kill('SIGTERM')
  process.on('SIGINT', ignore)
  process.on('SIGTERM', forward)
  process.on('SIGHUP', forward)
  stop?.addEventListener('abort', end, { once: true })
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? 128 + constants.signals[signal]))
    })
  } finally {
    process.off('SIGINT', ignore)
    process.off('SIGTERM', forward)
    process.off('SIGHUP', forward)
    stop?.removeEventListener('abort', end)
  }
}
