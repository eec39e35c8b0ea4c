import { Fault } from '../fault/fault.js'
import type { Finding } from '../record/record.js'

/** What is known of a boot that gave no shell. */
export interface FailedBoot {
  /** Last stage reached; undefined when nothing known was printed. */
  stage: string | undefined
  /** Bytes on the console since power-on. */
  bytes: number
  fatal: Finding | undefined
  /** Milliseconds waited. */
  waited: number
  /** What the console shows of it, oldest line first. */
  lines: readonly string[]
  /** Why waiting ended early, when it did. */
  ended: Fault | undefined
}

/** Stages in which what speaks is part of the image, so that silence after them is the image's. */
const OF_THE_IMAGE = ['boot-loader', 'hypervisor', 'kernel', 'init', 'login']

/** Names the fault of a boot that gave no shell, and whose it is (design, decision 8). */
export function bootFault(boot: FailedBoot): Fault {
  const evidence = boot.lines
  const seconds = `${(boot.waited / 1000).toFixed(1)} s`
  if (boot.fatal) {
    return new Fault({
      code: `boot.${boot.fatal.code}`,
      culprit: boot.fatal.culprit,
      expected: 'the image to boot to a shell',
      seen: boot.fatal.line,
      next: 'read the console of this boot from the line above',
      evidence,
    })
  }
  if (
    boot.ended &&
    boot.ended.code !== 'console.expect.timeout' &&
    !boot.ended.code.startsWith('shell.login')
  )
    return boot.ended
  if (boot.stage && OF_THE_IMAGE.includes(boot.stage)) {
    return new Fault({
      code: 'boot.timeout',
      culprit: 'product',
      expected: 'a shell on the console',
      seen: `none after ${seconds}; the boot came as far as "${boot.stage}"`,
      next: 'read the console of this boot, or give it more time with --boot-timeout',
      evidence,
    })
  }
  return new Fault({
    code: boot.bytes === 0 ? 'boot.silent' : 'boot.no-kernel',
    culprit: 'undecided',
    expected: 'the image to start',
    seen:
      boot.bytes === 0
        ? `the board is powered and its console open, but nothing was printed in ${seconds}`
        : `nothing of the image spoke in ${seconds}; the last stage was "${boot.stage ?? 'none'}"`,
    next: 'boot an image that is known to be good on this board: if it speaks, this image is to blame',
    evidence,
  })
}
