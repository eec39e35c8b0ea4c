import { statfsSync } from 'node:fs'
import { formatSize } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import type { Artefacts } from '../image/artefacts.js'
import { checkMemory } from '../image/preflight.js'
import { qemuVersion } from '../qemu/binary.js'
import type { Plan, ProjectPlan } from './plan.js'

/** Recordings, overlays and reports of a run fit into this; a run that fills the disk loses its own evidence. */
const DISK_NEEDED = 512 * 1024 ** 2

/** Whether this machine can take a run at all. @throws Fault `preflight.disk`, `qemu.missing` */
export async function checkHost(plan: Plan): Promise<void> {
  checkDisk(plan)
  for (const { declaration } of plan.projects.flatMap(project => project.boards))
    await qemuVersion(declaration.arch)
}

function checkDisk(plan: Plan): void {
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

/** Checks a built image against every board it may be put on. @throws Fault `image.memory.short` */
export function checkImage(project: ProjectPlan, { manifest }: Artefacts): void {
  const testMemory = Math.max(0, ...project.suites.map(suite => suite.testMemory))
  for (const { name, declaration } of project.boards) {
    checkMemory(manifest, testMemory, { name, memory: declaration.memory })
  }
}
