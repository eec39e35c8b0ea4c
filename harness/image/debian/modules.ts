import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { Fault } from '../../fault/fault.js'
import { moduleDependencies } from '../elf.js'

/**
 * Kernel modules with all that they depend on, each after what it needs: the order to load them in.
 *
 * @param available every module file of the kernel
 * @throws Fault `image.module.unknown`
 */
export function moduleClosure(wanted: readonly string[], available: readonly string[]): string[] {
  const byName = new Map(available.map(file => [canonical(basename(file, '.ko')), file]))
  const ordered = new Set<string>()
  const visit = (name: string, neededBy: string) => {
    const file = byName.get(canonical(name))
    if (file === undefined) {
      throw new Fault({
        code: 'image.module.unknown',
        culprit: 'usage',
        expected: `a kernel module "${name}", needed by ${neededBy}`,
        seen: `the kernel has ${available.length} modules, and none of that name`,
        next: 'correct "modules" in image.yaml; what is built into the kernel needs no module',
      })
    }
    if (ordered.has(file)) return
    for (const dependency of moduleDependencies(readFileSync(file))) visit(dependency, name)
    ordered.add(file)
  }
  for (const name of wanted) visit(name, 'image.yaml')
  return [...ordered]
}

/** The kernel takes hyphen and underscore in module names for the same. */
function canonical(name: string): string {
  return name.replaceAll('-', '_')
}
