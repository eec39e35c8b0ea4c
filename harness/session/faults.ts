import { Fault } from '../fault/fault.js'

export function staleGrant(): Fault {
  return new Fault({
    code: 'session.grant.stale',
    culprit: 'test',
    expected: 'the test that holds the device to use it',
    seen: 'a test used it after its end, when it was no longer its own',
    next: 'await everything that the test starts',
  })
}

export function deviceReleased(project: string): Fault {
  return new Fault({
    code: 'session.device.released',
    culprit: 'test',
    expected: 'a device that the test holds',
    seen: `the device of ${project} was given back already`,
    next: 'await everything that the test starts before it ends',
  })
}

export function sessionEnding(): Fault {
  return new Fault({
    code: 'session.ending',
    culprit: 'harness',
    expected: 'the session to go on',
    seen: 'it gives its boards back',
    next: 'see in session.log what ended it',
  })
}

export function noSnapshots(board: string, why: string): Fault {
  return new Fault({
    code: 'snapshot.unsupported',
    culprit: 'test',
    expected: `board ${board} to save its state`,
    seen: why,
    next: 'use the isolation "reflashed" or "power-cycled" instead, or another board',
  })
}

export function noSuchCheckpoint(name: string, why?: string): Fault {
  return new Fault({
    code: 'snapshot.checkpoint.unknown',
    culprit: why === undefined ? 'test' : 'lab',
    expected: `a checkpoint "${name}" of the device`,
    seen: why ?? 'none was made under this name on this device',
    next: 'make it first: await device.checkpoint(name)',
  })
}
