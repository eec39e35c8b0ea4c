import type { RecordingReader } from '../console/reader.js'
import { Fault } from '../fault/fault.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { bootFault } from './boot-fault.js'
import { whyGone } from './gone.js'
import type { OpenDevice } from './open-device.js'
import type { KnownShells } from './shells.js'

/** After a fatal finding, reading goes on until the console is silent for so long, so that the trace is whole. */
const TRACE_SILENCE_MS = 1_500
const TRACE_LIMIT_MS = 10_000
const EVIDENCE_LINES = 25

/**
 * Proves that there is a shell on a powered device within `timeout` ms. A fatal finding ends the wait once its trace is
 * whole.
 *
 * @throws Fault `boot.*`, or what else kept it from one; the reason of `signal` when that ends it
 */
export async function findShell(
  device: OpenDevice,
  timeout: number,
  signal: AbortSignal,
): Promise<KnownShells & { own: string }> {
  const { boots } = device
  const from = boots.current?.from ?? 0
  const started = Date.now()
  const stop = new AbortController()
  boots.onFatal = finding => void untilSilent(device).then(() => stop.abort(finding))
  try {
    const { login, password } = device.artefacts.manifest.console
    const { key } = await LinuxShell.login(device.port, {
      ...(login !== undefined && { login }),
      ...(password !== undefined && { password }),
      timeout,
      signal: AbortSignal.any([stop.signal, signal]),
    })
    return { boot: boots.current?.ordinal ?? 0, own: key, guests: {} }
  } catch (error) {
    signal.throwIfAborted()
    throw await explained(device, error, from, Date.now() - started)
  } finally {
    boots.onFatal = () => {}
  }
}

/** Why there is no shell, by what was printed from the byte `from` on and by what became of the board. */
async function explained(device: OpenDevice, error: unknown, from: number, waited: number): Promise<Fault> {
  const { boots, reader, recording } = device
  if (recording.ended() !== undefined) await boots.ended()
  const fatal = boots.findings.find(finding => finding.severity === 'fatal' && finding.offset >= from)
  return bootFault({
    stage: boots.stage,
    bytes: reader.length - from,
    fatal,
    waited,
    lines: fatal ? linesAround(reader, fatal.offset, from) : reader.lastLines(EVIDENCE_LINES, from),
    ended: error instanceof Fault ? whyGone(error, boots.current, boots.lost) : undefined,
  })
}

async function untilSilent({ reader, boots }: OpenDevice): Promise<void> {
  const limit = Date.now() + TRACE_LIMIT_MS
  const boot = boots.current
  while (Date.now() < limit && boots.current === boot) {
    if ((await reader.grown(reader.length, { timeout: TRACE_SILENCE_MS })) !== 'grown') return
  }
}

/** The lines from byte `at` on, after a few from before it. */
function linesAround(reader: RecordingReader, at: number, from: number): string[] {
  const before = reader.lastLines(5, from, at)
  const after = [...reader.linesWithTimes(at)].slice(0, EVIDENCE_LINES - before.length)
  return [...before, ...after.map(line => line.text)]
}
