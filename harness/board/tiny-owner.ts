import type { QemuBoard } from './qemu-board.js'
import { openQemuBoard } from './qemu-board.js'
import { tinyBoard, tinyDevice } from './tiny-device.js'
import { Witness } from './witness.js'

/** Run by a test as a process of its own, to be killed: boots a tiny device and prints the pid of its QEMU. */
const scratch = process.argv[2]!
const witness = new Witness()
const board: QemuBoard = await openQemuBoard({
  name: 'owned',
  declaration: tinyBoard,
  artefacts: tinyDevice(scratch),
  accel: 'tcg',
  listener: witness,
  scratch,
})
await board.power.on()
await witness.printed('boot 1')
console.log(board.power.qemu!.pid)
