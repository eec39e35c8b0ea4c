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
