import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { cache } from './root.mjs'

/** Runs `work` while no other set-up of this clone runs; waits for one that does. */
export async function alone(work) {
  mkdirSync(cache, { recursive: true })
  const file = join(cache, 'setup.lock')
  let told = false
  while (!take(file)) {
    if (!told) process.stderr.write('Another set-up of this clone is running; waiting for it.\n')
    told = true
    await delay(200)
  }
  try {
    return await work()
  } finally {
    rmSync(file, { force: true })
  }
}

function take(file) {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code !== 'EEXIST') throw error
  }
  if (holderLives(file)) return false
  rmSync(file, { force: true })
  return take(file)
}

/** The holder of a lock it could not remove, e.g. after kill -9, is gone; a reused pid is told apart by its program. */
function holderLives(file) {
  try {
    const pid = Number(readFileSync(file, 'utf8'))
    // Empty: between the holder's creating and its writing the file.
    return pid === 0 || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('setup/')
  } catch {
    return false
  }
}
