import { once } from 'node:events'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { spawnTied } from '../process/tied.js'
import type { ProbeResult } from './probe.js'

const entry = z.object({ usable: z.boolean(), reason: z.string() })
const cacheFile = z.object({ boot: z.string(), qemu: z.string(), answers: z.record(z.string(), entry) })

export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'bootwright')
}

/**
 * The answer to `question`, from the cache in `folder` if it was asked since this host booted with this `qemu`
 * version; otherwise from `ask`, once, however many processes want to know at the same time.
 */
export async function cachedProbe(
  folder: string,
  arch: string,
  qemu: string,
  question: string,
  ask: () => Promise<ProbeResult>,
): Promise<ProbeResult> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, `kvm-${arch}.json`)
  const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  const known = (await answers(file, boot, qemu))[question]
  if (known) return known
  return underLock(`${file}.lock`, async () => {
    const soFar = await answers(file, boot, qemu)
    const answer = soFar[question] ?? (await ask())
    const partial = `${file}.new`
    await writeFile(partial, JSON.stringify({ boot, qemu, answers: { ...soFar, [question]: answer } }))
    await rename(partial, file)
    return answer
  })
}

async function answers(file: string, boot: string, qemu: string): Promise<Record<string, ProbeResult>> {
  try {
    const cached = cacheFile.parse(JSON.parse(await readFile(file, 'utf8')))
    return cached.boot === boot && cached.qemu === qemu ? cached.answers : {}
  } catch {
    // Not there, or not ours to understand: ask anew.
    return {}
  }
}

/** Holds flock(2) on `file` through util-linux' program: the kernel lets go of it when either of us dies. */
async function underLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  const holder = spawnTied('flock', ['-o', file, 'sh', '-c', 'echo; exec cat'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const gone = once(holder, 'exit')
  await Promise.race([once(holder.stdout!, 'data'), gone])
  try {
    return await work()
  } finally {
    holder.stdin!.end()
    await gone
  }
}
