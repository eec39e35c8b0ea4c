import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { MIB } from '../../declare/size.js'
import { runOrThrow } from '../../process/run.js'
import { buildImage } from '../build.js'

const root = join(dirname(fileURLToPath(import.meta.url)), '../../../..')
const sbin = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` }

test('xen-dom0: built, its disk sound, owned rightly, and nothing on it that must not be', async t => {
  const scratch = mkdtempSync(join(tmpdir(), 'bootwright-mmdebstrap-'))
  t.after(() => rmSync(scratch, { recursive: true, force: true }))
  const options = { root, name: 'xen-dom0', arch: 'x86-64' } as const
  const { folder, manifest } = await buildImage(options)
  const disk = join(folder, 'root.ext4')
  const ask = async (program: string, args: string[]) =>
    (await runOrThrow(program, args, { env: sbin, code: 'x.y.z', expected: '', next: '' })).stdout.toString()

  await t.test('the file system is clean and takes less than 250 MB', async () => {
    await ask('e2fsck', ['-f', '-n', disk])
    assert.ok(statSync(disk).blocks * 512 < 250 * MIB)
  })

  await t.test('owners and permissions are those that the packages set', async () => {
    const stat = async (path: string) => {
      const text = await ask('debugfs', ['-R', `stat ${path}`, disk])
      const [, mode, user, group] = /Mode:\s+(\d+)[^]*?User:\s+(\d+)\s+Group:\s+(\d+)/.exec(text)!
      return `${mode} ${user}:${group}`
    }
    assert.equal(await stat('/'), '0755 0:0')
    assert.equal(await stat('/root'), '0700 0:0')
    assert.equal(await stat('/tmp'), '01777 0:0')
    assert.equal(await stat('/usr/bin/su'), '04755 0:0')
    assert.match(await stat('/etc/shadow'), /^0640 0:42$/)
    assert.match(await stat('/usr/lib/dbus-1.0/dbus-daemon-launch-helper'), /^04754 0:[1-9]/)
  })

  await t.test('root has no password, the device no identity yet, and the key is the artefact', async () => {
    const cat = (path: string) => ask('debugfs', ['-R', `cat ${path}`, disk])
    assert.match(await cat('/etc/shadow'), /^root::/m)
    assert.equal(await cat('/etc/machine-id'), '')
    assert.doesNotMatch(await ask('debugfs', ['-R', 'ls -p /etc/ssh', disk]), /ssh_host_/)
    const key = await ask('ssh-keygen', ['-y', '-f', join(folder, 'access-key')])
    assert.equal((await cat('/root/.ssh/authorized_keys')).trim(), key.trim())
  })

  await t.test('a defect changes what it says', async () => {
    const spoilt = await buildImage({ ...options, variant: 'guest-not-started' })
    const auto = (file: string) => ask('debugfs', ['-R', 'ls -p /etc/xen/auto', file])
    assert.match(await auto(disk), /alpha\.cfg/)
    assert.doesNotMatch(await auto(join(spoilt.folder, 'root.ext4')), /alpha\.cfg/)
    assert.deepEqual(spoilt.manifest.xen, manifest.xen)
  })
})
