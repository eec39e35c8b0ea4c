import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SetupFailure } from './failure.mjs'
import { oneLine } from './packages.mjs'
import { checkNode } from './setup.mjs'

test('an old Node is refused in one line that names what is needed', () => {
  for (const version of ['18.20.4', '20.18.3']) {
    assert.throws(
      () => checkNode(version),
      error => error instanceof SetupFailure && /20\.19/.test(error.message) && !error.message.includes('\n'),
    )
  }
  for (const version of ['20.19.0', '20.20.2', '22.0.0']) checkNode(version)
})

test('what somebody with the rights has to run is one line', () => {
  const line = oneLine(['cpio', 'zstd'])
  assert.match(line, /^sudo apt-get update && sudo apt-get install -y --no-install-recommends cpio zstd$/)
})
