import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { Restored, Snapshots } from '../board/board.js'
import { Fault } from '../fault/fault.js'
import { LinuxShell } from '../shell/linux-shell.js'
import { findShell } from './find-shell.js'
import type { OpenDevice } from './open-device.js'
import { shells, type KnownShells, type Shells } from './shells.js'

/** Ms in which a shell that was there when the state was saved is there again. */
const SHELL_MS = 15_000

/** What is kept with a saved state. */
const about = z.object({ shells, stages: z.array(z.string()) })

/** A device that is back in a saved state. */
export interface Back {
  /** By what means. */
  how: (Restored & { restored: true })['how']
  shells: KnownShells & { own: string }
}

/** Saved states of a device, each with the shell that was on it. */
export class SavedStates {
  constructor(
    private readonly device: OpenDevice,
    private readonly snapshots: Snapshots,
    private readonly signal: AbortSignal,
  ) {}

  has(name: string): boolean {
    return this.snapshots.has(name)
  }

  /** @returns why it is not kept, if it should be. @throws Fault `qemu.snapshot.refused`, `qemu.disk.full` */
  save(name: string, left: Shells, options?: { keep: boolean }): Promise<string | undefined> {
    const stages = this.device.boots.current?.stages.map(stage => stage.name) ?? []
    const said: z.infer<typeof about> = { shells: { own: left.own, guests: left.guests }, stages }
    return this.snapshots.save(name, said, options)
  }

  /** Goes back to a state and shows that a shell answers in it; otherwise says why not, and the state is dropped. */
  async restore(name: string): Promise<Back | string> {
    const outcome = await this.snapshots.restore(name)
    if (!outcome.restored) return outcome.why
    try {
      const { boots } = this.device
      const {
        shells: { own, guests },
        stages,
      } = about.parse(outcome.about)
      boots.resume(stages)
      const at = boots.current!.ordinal
      if (own !== undefined && (await this.setRight(own))) {
        return { how: outcome.how, shells: { boot: at, own, guests } }
      }
      const known = await findShell(this.device, SHELL_MS, this.signal)
      await this.setRight(known.own)
      return { how: outcome.how, shells: known }
    } catch (error) {
      this.signal.throwIfAborted()
      await this.snapshots.discard(name)
      return `no shell in it (${Fault.wrap(error).code})`
    }
  }

  /**
   * Puts right what is wrong in a device that stood still: the clock, and random numbers that every device with this
   * state would have alike. What it can't do as it is it need not.
   *
   * @returns whether the shell answered
   */
  async setRight(key: string): Promise<boolean> {
    const seconds = Math.round(Date.now() / 1000)
    const command = `date -s @${seconds} >/dev/null 2>&1; echo ${randomBytes(32).toString('hex')} >/dev/urandom`
    return LinuxShell.at(this.device.port, key)
      .run(command, { timeout: SHELL_MS })
      .then(
        () => true,
        (error: unknown) => {
          this.signal.throwIfAborted()
          if (error instanceof Fault) return false
          throw error
        },
      )
  }

  /** Holds back other runs that would save the same, until disposed. */
  making(waiting: () => void): Promise<AsyncDisposable> {
    return this.snapshots.making(this.signal, waiting)
  }
}
