import type { Artefacts } from '../image/artefacts.js'
import type { Board, BoardListener } from './board.js'
import type { BoardDeclaration } from './inventory.js'
import { openQemuBoard } from './qemu-board.js'
import type { SnapshotStore } from './snapshot-store.js'

export interface OpenBoardOptions {
  name: string
  declaration: BoardDeclaration
  artefacts: Artefacts
  /** How a QEMU board is run; `auto` takes KVM if it works. */
  accel: 'auto' | 'kvm' | 'tcg'
  listener: BoardListener
  /** Where states of boards are kept for later runs; undefined: nowhere. */
  snapshots?: SnapshotStore
  /** Base of the temporary folders; default the system's. */
  scratch?: string
}

/** Puts a board together, switched off. Drivers differ; what comes out does not. */
export async function openBoard(options: OpenBoardOptions): Promise<Board> {
  switch (options.declaration.driver) {
    case 'qemu':
      return openQemuBoard(options)
  }
}
