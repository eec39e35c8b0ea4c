import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the folders in `folder` that hold a declaration called `file`; reads none of them. */
export function declaredNames(folder: string, file: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .filter(name => existsSync(join(folder, name, file)))
    .sort()
}

export const imageNames = (root: string) => declaredNames(join(root, 'images'), 'image.yaml')
export const suiteNames = (root: string) => declaredNames(join(root, 'suites'), 'suite.yaml')
