import { Fault } from '../fault/fault.js'
import { run } from '../process/run.js'
import type { Machine } from './machine.js'

type Arch = Machine['arch']

const PROGRAMS = {
  'x86-64': { program: 'qemu-system-x86_64', package: 'qemu-system-x86' },
  arm64: { program: 'qemu-system-aarch64', package: 'qemu-system-arm' },
} as const

export function qemuProgram(arch: Arch): string {
  return PROGRAMS[arch].program
}

export function qemuPackage(arch: Arch): string {
  return PROGRAMS[arch].package
}

const versions = new Map<Arch, Promise<string>>()

/** Version of the QEMU for `arch`, e.g. `7.2.22`; asked once per process. @throws Fault `qemu.missing`, culprit lab */
export function qemuVersion(arch: Arch): Promise<string> {
  let version = versions.get(arch)
  if (!version) {
    version = askVersion(arch)
    versions.set(arch, version)
    version.catch(() => versions.delete(arch))
  }
  return version
}

async function askVersion(arch: Arch): Promise<string> {
  const program = qemuProgram(arch)
  const result = await orMissing(program, qemuPackage(arch), run(program, ['--version']))
  return /version (\S+)/.exec(result.stdout.toString())?.[1] ?? 'unknown'
}

/** The outcome of running `program`, with the package to install when it is not there. */
export async function orMissing<T>(program: string, packageName: string, running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (error) {
    const isMissing = error instanceof Fault && error.code === 'process.missing'
    // What starts it may be what is missing.
    if (!isMissing || !error.seen.startsWith(program)) throw error
    throw new Fault({
      code: 'qemu.missing',
      culprit: 'lab',
      expected: `the program ${program}`,
      seen: `${program} is not installed`,
      next: `apt-get install ${packageName}`,
      cause: error,
    })
  }
}
