import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** All files in `folder` and the folders in it; none when there is no such folder. */
export function filesBelow(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    return entry.isDirectory() ? filesBelow(path) : [path]
  })
}
