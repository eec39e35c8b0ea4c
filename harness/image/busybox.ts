import { Fault } from '../fault/fault.js'
import type { FileTree } from './tree.js'

/**
 * Names of the programs in a busybox, read from the binary: its sorted table of zero-ended names, which begins with
 * `[` and `[[`. A busybox of a foreign architecture can't be asked.
 *
 * @throws Fault `image.busybox.table`
 */
export function applets(busybox: Buffer): string[] {
  const start = busybox.indexOf('\0[\0[[\0') + 1
  const names: string[] = []
  for (let at = start; at > 0;) {
    const end = busybox.indexOf(0, at)
    const name = busybox.toString('latin1', at, end)
    const last = names.at(-1)
    if (!/^[\w[.-]+$/.test(name) || (last !== undefined && name <= last)) break
    names.push(name)
    at = end + 1
  }
  if (!names.includes('init') || !names.includes('sh')) {
    throw new Fault({
      code: 'image.busybox.table',
      culprit: 'harness',
      expected: 'a busybox with sh and init among its programs',
      seen: `its table of names gave: ${names.slice(0, 5).join(' ') || 'nothing'}`,
      next: 'see whether this busybox keeps its names in another way',
    })
  }
  return names
}

/** Busybox and all its names in one folder of programs that goes by every usual name. */
export function installBusybox(tree: FileTree, busybox: Buffer): void {
  tree
    .folder('/bin')
    .link('/sbin', 'bin')
    .folder('/usr')
    .link('/usr/bin', '../bin')
    .link('/usr/sbin', '../bin')
  tree.file('/bin/busybox', busybox, 0o755)
  for (const name of applets(busybox).filter(name => name !== 'busybox')) tree.link(`/bin/${name}`, 'busybox')
}
