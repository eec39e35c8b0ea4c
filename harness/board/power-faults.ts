import { Fault } from '../fault/fault.js'

export function notOn(board: string, what: string): Fault {
  return new Fault({
    code: `power.${what}.off`,
    culprit: 'test',
    expected: `board ${board} to be on`,
    seen: 'it is off',
    next: 'switch it on first, or use cycle',
  })
}

export function resetSilent(board: string): Fault {
  return new Fault({
    code: 'power.reset.silent',
    culprit: 'lab',
    expected: `QEMU to confirm the reset of board ${board}`,
    seen: 'no such event came, or it ended instead',
    next: 'cycle the power; see the end of QEMU in the record',
  })
}

export function shutdownTimeout(board: string, timeout: number): Fault {
  return new Fault({
    code: 'power.shutdown.timeout',
    culprit: 'product',
    expected: `board ${board} to switch itself off within ${timeout} ms of the power button`,
    seen: 'it is still on',
    next: 'see on the console what keeps it; the power can still be cut with off',
  })
}

export function shutdownCut(board: string): Fault {
  return new Fault({
    code: 'power.shutdown.cut',
    culprit: 'test',
    expected: `board ${board} to be left to shut down`,
    seen: 'its power was cut meanwhile',
    next: 'await the shutdown before off, cycle or the end of the test',
  })
}

export function shutdownLost(board: string): Fault {
  return new Fault({
    code: 'power.shutdown.lost',
    culprit: 'lab',
    expected: `board ${board} to switch itself off`,
    seen: 'its QEMU ended in another way',
    next: 'see the event "lost" of this board in the record',
  })
}

export function startCut(board: string): Fault {
  return new Fault({
    code: 'power.on.cut',
    culprit: 'test',
    expected: `board ${board} to be left to switch on`,
    seen: 'it was switched off while it waited for memory of the host',
    next: 'await the switching on before off, cycle or the end of the test',
  })
}
