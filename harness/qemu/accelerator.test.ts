import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { arch } from 'node:os'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Fault } from '../fault/fault.js'
import { chooseAccelerator } from './accelerator.js'
import { probe } from './probe.js'
import { cachedProbe } from './probe-cache.js'

const options = { timeout: 60_000 }

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'bw-probe-test-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

const foreign = arch() === 'arm64' ? 'x86-64' : 'arm64'

for (const guest of ['x86-64', 'arm64'] as const) {
  test(`the tiny ${guest} guest speaks`, options, async t => {
    assert.deepEqual(await probe(guest, 'tcg', folder(t)), {
      usable: true,
      reason: 'a test guest ran under TCG',
    })
  })
}

test(
  'a kernel that cannot be loaded makes the accelerator unusable, in QEMU\u2019s words',
  options,
  async t => {
    const path = folder(t)
    const file = join(path, 'not-a-kernel')
    const answer = await probe('x86-64', 'tcg', path, { kind: 'xen', file })
    assert.equal(answer.usable, false)
    assert.match(answer.reason, /not-a-kernel/)
  },
)

test(
  'a question is asked once, however many ask it at once, and again after a QEMU upgrade',
  options,
  async t => {
    const path = folder(t)
    let asked = 0
    const ask = () => Promise.resolve({ usable: true, reason: `answer ${++asked}` })
    const answers = await Promise.all([1, 2, 3].map(() => cachedProbe(path, 'x86-64', '7.2', 'tiny', ask)))
    assert.deepEqual(new Set(answers.map(answer => answer.reason)), new Set(['answer 1']))
    assert.equal((await cachedProbe(path, 'x86-64', '7.2', 'linux', ask)).reason, 'answer 2')
    assert.equal((await cachedProbe(path, 'x86-64', '7.2', 'tiny', ask)).reason, 'answer 1')
    assert.equal((await cachedProbe(path, 'x86-64', '8.0', 'tiny', ask)).reason, 'answer 3')
    assert.equal((await cachedProbe(path, 'x86-64', '8.0', 'linux', ask)).reason, 'answer 4')
  },
)

test('a cache that is not understood, or a failed question, is asked anew', options, async t => {
  const path = folder(t)
  writeFileSync(join(path, 'kvm-x86-64.json'), 'half a fi')
  const fail = () => Promise.reject(new Error('no'))
  await assert.rejects(cachedProbe(path, 'x86-64', '7.2', 'tiny', fail), /no/)
  const ask = () => Promise.resolve({ usable: false, reason: 'asked' })
  assert.equal((await cachedProbe(path, 'x86-64', '7.2', 'tiny', ask)).reason, 'asked')
  assert.ok(!readdirSync(path).some(name => name.endsWith('.new')))
})

test('guests of another kind are emulated, and KVM for them is refused with the reason', options, async t => {
  const cache = folder(t)
  const choice = await chooseAccelerator('auto', foreign, { cache })
  assert.equal(choice.accelerator, 'tcg')
  assert.match(choice.reason, /own kind/)
  await assert.rejects(
    chooseAccelerator('kvm', foreign, { cache }),
    (e: Fault) => e.code === 'qemu.kvm.unusable' && e.culprit === 'lab' && e.seen === choice.reason,
  )
  assert.equal((await chooseAccelerator('tcg', foreign, { cache })).accelerator, 'tcg')
})

test('auto and kvm agree about this host', options, async t => {
  const cache = folder(t)
  const host = arch() === 'arm64' ? 'arm64' : 'x86-64'
  const { accelerator, reason } = await chooseAccelerator('auto', host, { cache })
  if (accelerator === 'kvm')
    assert.equal((await chooseAccelerator('kvm', host, { cache })).accelerator, 'kvm')
  else await assert.rejects(chooseAccelerator('kvm', host, { cache }), (e: Fault) => e.seen === reason)
})
