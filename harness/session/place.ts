import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../fault/fault.js'
import { isAlive, type ProcessIdentity } from '../process/identity.js'

const FOLDER = /^session-(\d+)-(\d+)$/

/** The folder of the session that belongs to `runner`; it may not be there yet. */
export function sessionFolder(runner: ProcessIdentity): string {
  return join(base(), `session-${runner.pid}-${runner.start}`)
}

/**
 * Makes the folder of a session, readable by its user alone. Folders of runners that are gone are removed on the way: their
 * sessions have ended, or have lost their reason to go on.
 *
 * @throws Fault `harness.session.folder` when somebody else has put a folder in the way
 */
export function makeSessionFolder(runner: ProcessIdentity): string {
  const { uid } = userInfo()
  mkdirSync(base(), { recursive: true, mode: 0o700 })
  const owner = statSync(base()).uid
  if (owner !== uid) throw notOurs(owner)
  for (const name of readdirSync(base())) {
    const [, pid, start] = FOLDER.exec(name) ?? []
    if (pid && start && !isAlive({ pid: Number(pid), start }))
      rmSync(join(base(), name), { recursive: true, force: true })
  }
  const folder = sessionFolder(runner)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  return folder
}

export const socketIn = (folder: string) => join(folder, 'sock')

function base(): string {
  return join(tmpdir(), `bootwright-${userInfo().uid}`)
}

function notOurs(owner: number): Fault {
  return new Fault({
    code: 'harness.session.folder',
    culprit: 'harness',
    expected: `${base()} to be ours`,
    seen: `it belongs to somebody else (user ${owner})`,
    next: 'set TMPDIR to a folder of your own',
  })
}
