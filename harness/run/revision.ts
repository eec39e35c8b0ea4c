import { spawnSync } from 'node:child_process'

/** The git revision of a folder, or undefined when it is none of git's. */
export function gitRevision(folder: string): { revision: string; dirty: boolean } | undefined {
  const revision = spawnSync('git', ['rev-parse', 'HEAD'], { cwd: folder, encoding: 'utf8' })
  if (revision.status !== 0) return undefined
  const status = spawnSync('git', ['status', '--porcelain', '--untracked-files=no'], {
    cwd: folder,
    encoding: 'utf8',
  })
  return { revision: revision.stdout.trim(), dirty: status.stdout.trim() !== '' }
}
