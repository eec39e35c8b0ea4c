import assert from 'node:assert/strict'
import { mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Lab } from '../board/inventory.js'
import { MIB } from '../declare/size.js'
import { Fault } from '../fault/fault.js'
import { diagnose, type Check } from './doctor/check.js'
import { debianChecks } from './doctor/debian.js'
import { checkSpace } from './doctor/disk.js'
import { emulationChecks } from './doctor/emulation.js'
import { memoryChecks } from './doctor/memory.js'
import { checkKvmDevice, checkUserNamespaces, checkWritable } from './doctor/permissions.js'
import { tell } from './doctor/tell.js'
import { toolChecks } from './doctor/tools.js'

async function inScratch(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bootwright-doctor-'))
  try {
    await work(folder)
  } finally {
    await rm(folder, { recursive: true })
  }
}

function labOf(...memories: number[]): Lab {
  const boards = memories.map(
    (memory, i) =>
      [`b${i}`, { driver: 'qemu', class: 'c', arch: 'x86-64', memory: memory * MIB, cpus: 1 }] as const,
  )
  return { name: 'local', file: 'labs/local.yaml', boards: new Map(boards) }
}

async function findingOf(checks: readonly Check[], name: string) {
  const found = (await diagnose(checks)).find(diagnosis => diagnosis.name === name)
  assert.ok(found, name)
  return found
}

test('with an empty PATH every tool has a remedy, and it names a package or the folder to add', async () => {
  const diagnoses = await diagnose(toolChecks(''))
  assert.ok(diagnoses.length > 5)
  for (const { ok, remedy } of diagnoses) {
    assert.equal(ok, false)
    assert.match(remedy ?? '', /^sudo apt-get install \S+$|^export PATH=/)
  }
})

test('a tool is what can be executed, not any file of its name', async () => {
  await inScratch(async folder => {
    await writeFile(join(folder, 'tar'), '')
    await mkdir(join(folder, 'mmdebstrap'))
    await symlink('/bin/true', join(folder, 'flock'))
    const checks = toolChecks(folder)
    assert.equal((await findingOf(checks, 'tar')).ok, false)
    assert.equal((await findingOf(checks, 'mmdebstrap')).ok, false)
    assert.deepEqual((await findingOf(checks, 'flock')).seen, join(folder, 'flock'))
  })
})

test('QEMU is needed where the lab has a board for it, and only there', () => {
  const needed = emulationChecks(labOf(512)).filter(check => check.needed)
  assert.deepEqual(
    needed.map(check => check.name),
    ['QEMU for x86-64'],
  )
})

test('without QEMU both its checks name the package', async () => {
  for (const { ok, remedy } of await diagnose(emulationChecks(labOf(512), ''))) {
    assert.equal(ok, false)
    assert.match(remedy ?? '', /^sudo apt-get install qemu-system-(x86|arm)$/)
  }
})

test('memory is compared for the largest board and for all of them', async () => {
  const checks = memoryChecks(labOf(512, 1024), () => 1300 * MIB)
  const [largest, all] = await diagnose(checks)
  assert.deepEqual([largest?.ok, largest?.needed], [true, true])
  assert.deepEqual([all?.ok, all?.needed], [false, false])
  assert.equal(all?.seen, '1.3G free, 1.9G wanted')
})

test('a folder that cannot be made or has no room is told with its remedy', async () => {
  await inScratch(async folder => {
    assert.equal((await checkWritable(join(folder, 'new/cache'))).ok, true)
    await writeFile(join(folder, 'file'), '')
    const blocked = await checkWritable(join(folder, 'file/cache'))
    assert.match(blocked.seen, /cannot be written \(ENOTDIR\)/)
    assert.ok(blocked.remedy)
    assert.equal((await checkSpace(join(folder, 'not/there'), 1)).ok, true)
    const full = await checkSpace(folder, Number.MAX_SAFE_INTEGER)
    assert.equal(full.ok, false)
    assert.ok(full.remedy)
  })
})

test('a missing /dev/kvm is told from one that is closed, and root needs no user namespace', async () => {
  assert.match((await checkKvmDevice('/dev/not-there')).seen, /not there/)
  assert.equal((await checkKvmDevice('/dev/null')).ok, true)
  assert.equal((await checkUserNamespaces(0)).ok, true)
})

test("a host that names no Debian archive gets the builder's own words", async () => {
  await inScratch(async root => {
    const checks = debianChecks({ env: {}, root }, join(root, 'keyring.gpg'))
    assert.match((await findingOf(checks, 'Debian archive keys')).remedy ?? '', /debian-archive-keyring/)
    const archive = await findingOf(checks, 'Debian archive')
    assert.equal(archive.ok, false)
    assert.match(archive.remedy ?? '', /BOOTWRIGHT_DEBIAN_MIRROR/)
  })
  const named = debianChecks({ env: { BOOTWRIGHT_DEBIAN_MIRROR: 'http://localhost/debian' }, root: '/' })
  assert.equal((await findingOf(named, 'Debian archive')).ok, true)
})

test('a check that throws has failed with what the error says', async () => {
  const fault = new Fault({ code: 'a.b', culprit: 'lab', expected: 'e', seen: 'broken', next: 'mend it' })
  const [found] = await diagnose([{ name: 'x', needed: true, check: () => Promise.reject(fault) }])
  assert.deepEqual(found, { name: 'x', needed: true, ok: false, seen: 'broken', remedy: 'mend it' })
})

test('the text counts problems and warnings, and shows remedies only where something is wrong', () => {
  const text = tell([
    { name: 'a', needed: true, ok: true, seen: 'fine', remedy: 'not shown' },
    { name: 'b', needed: true, ok: false, seen: 'gone', remedy: 'get it' },
    { name: 'c', needed: false, ok: false, seen: 'slow' },
  ])
  assert.match(text, /b: gone\n.*get it/)
  assert.doesNotMatch(text, /not shown/)
  assert.match(text, /1 of 3 checks failed, 1 warning\.\n$/)
  assert.match(tell([{ name: 'a', needed: true, ok: true, seen: 'fine' }]), /Ready\.\n$/)
})
