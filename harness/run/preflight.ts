import { statfsSync } from 'node:fs'
import { formatSize } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from '../image/artefacts.js'

import { checkMemory } from '../image/preflight.js'
import type { Plan, ProjectPlan } from './plan.js'

/** Recordings, overlays and reports of a run fit into this; a run that fills the disk loses its own evidence. */
const DISK_NEEDED = 512 * 1024 ** 2

/** Everything that can be known to be wrong before a board is touched. @throws Fault `preflight.*`, `image.memory.*` */
export function checkHost(plan: Plan): void {
  const { bavail, bsize } = statfsSync(plan.root)
  const free = bavail * bsize
  if (free >= DISK_NEEDED) return
  throw new Fault({
    code: 'preflight.disk',
    culprit: 'lab',
    expected: `${formatSize(DISK_NEEDED)} of free disk space for the run`,
    seen: `${formatSize(free)} free where ${plan.root} is`,
    next: 'free disk space, e.g. remove old runs below reports/',
  })
}

/** Checks a built image against every board it may be put on. */
export function checkImage(project: ProjectPlan, { manifest }: Artefacts): void {
  const testMemory = Math.max(0, ...project.suites.map(suite => suite.testMemory))
  for (const { name, declaration } of project.boards) {
    checkMemory(manifest, testMemory, { name, memory: declaration.memory })
  }
}
