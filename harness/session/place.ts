import { chmodSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { isAlive, type ProcessIdentity } from '../process/identity.js'

const FOLDER = /^session-(\d+)-(\d+)$/

/**
 * The folder of the session that belongs to `runner`; made when missing, readable by its user alone. Folders of
 * runners that are gone are removed on the way: their sessions have ended, or have lost their reason to go on.
 */
export function sessionFolder(runner: ProcessIdentity): string {
  const base = join(tmpdir(), `bootwright-${userInfo().uid}`)
  mkdirSync(base, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(base)) {
    const [, pid, start] = FOLDER.exec(name) ?? []
    if (pid && start && !isAlive({ pid: Number(pid), start }))
      rmSync(join(base, name), { recursive: true, force: true })
  }
  const folder = join(base, `session-${runner.pid}-${runner.start}`)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  return folder
}

export const socketIn = (folder: string) => join(folder, 'sock')
export const logIn = (folder: string) => join(folder, 'log')
