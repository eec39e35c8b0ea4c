import type { QmpClient } from './qmp.js'

/** The port of 127.0.0.1 that QEMU chose for the guest's port 22; QMP proper has no question for it. */
export async function forwardedPort(qmp: QmpClient): Promise<number | undefined> {
  const table = await qmp.execute<string>('human-monitor-command', { 'command-line': 'info usernet' })
  const port = /TCP\[HOST_FORWARD\]\s+\d+\s+127\.0\.0\.1\s+(\d+)\s+\S+\s+22\s/.exec(table)?.[1]
  return port === undefined ? undefined : Number(port)
}
