/** The folders of harness/, bottom floor first. A folder imports from the floors below its own. */
export const FLOORS = [
  ['fault', 'declare', 'process'],
  ['channel'],
  ['console'],
  ['qemu', 'power', 'storage', 'netboot', 'io', 'network', 'shell'],
  ['image'],
  ['board'],
  ['system'],
  ['record'],
  ['session'],
  ['run'],
  ['lab'],
  ['cli'],
]

/** Neighbours on one floor that stand on each other, against the rule. */
export const LAYERED = {
  declare: ['fault'],
  process: ['fault'],
}

/** The highest floor that fixtures/ may use: a test meets the run it is part of, never the lab or the command line. */
export const FIXTURES_REACH = 'run'
