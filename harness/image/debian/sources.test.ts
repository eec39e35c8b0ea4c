import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { archivesFor } from './sources.js'

const DEBIAN_12 = 'ID=debian\nVERSION_CODENAME=bookworm\nPRETTY_NAME="Debian 12"\n'
const UBUNTU = 'ID=ubuntu\nVERSION_CODENAME=noble\nPRETTY_NAME="Ubuntu 24.04"\n'

function archives(files: Record<string, string>, env: Record<string, string> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'bootwright-sources-'))
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), text)
    }
    return archivesFor('bookworm', { env, root })
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('entries in deb822 style are used, with security and updates; other vendors and switched-off ones are not', () => {
  const found = archives({
    'etc/os-release': DEBIAN_12,
    'etc/apt/sources.list.d/debian.sources': `Types: deb deb-src
# a comment
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no
`,
    'etc/apt/sources.list.d/vendor.sources': `Types: deb
URIs: http://vendor.example/debian
Suites: bookworm
Components: main
Signed-By: /usr/share/keyrings/vendor.gpg
`,
  })
  assert.deepEqual(found, [
    { uri: 'http://mirror.example/debian', suites: ['bookworm', 'bookworm-updates'] },
    { uri: 'http://mirror.example/security', suites: ['bookworm-security'] },
  ])
})

test('entries in one-line style are used; suites of other vendors are not', () => {
  const found = archives({
    'etc/os-release': DEBIAN_12,
    'etc/apt/sources.list': `# deb http://commented.example/debian bookworm main
deb http://mirror.example/debian bookworm main # the main one
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.example/debian bookworm-updates main
deb-src http://mirror.example/debian bookworm main
deb http://vendor.example/apt vendor-bookworm main
deb http://extra.example/debian bookworm contrib
`,
  })
  assert.deepEqual(found, [{ uri: 'http://mirror.example/debian', suites: ['bookworm', 'bookworm-updates'] }])
})

test('a host of another Debian release gives its mirrors, for the suite that is wanted', () => {
  const found = archives({
    'etc/os-release': DEBIAN_12.replace('bookworm', 'trixie'),
    'etc/apt/sources.list': `deb http://mirror.example/debian trixie main
deb http://mirror.example/security trixie-security main
`,
  })
  assert.deepEqual(found, [
    { uri: 'http://mirror.example/debian', suites: ['bookworm'] },
    { uri: 'http://mirror.example/security', suites: ['bookworm-security'] },
  ])
})

test('a host that is no Debian uses what its debootstrap names for the suite', () => {
  const found = archives({
    'etc/os-release': UBUNTU,
    'etc/apt/sources.list': 'deb http://ubuntu.example/ubuntu noble main\n',
    'usr/share/debootstrap/scripts/bookworm': 'mirror_style release\n',
    'usr/sbin/debootstrap': '#!/bin/sh\nDEF_MIRROR="http://default.example/debian"\n',
  })
  assert.deepEqual(found, [
    { uri: 'http://default.example/debian', suites: ['bookworm', 'bookworm-updates'] },
  ])
})

test('a mirror that is set wins', () => {
  const env = { BOOTWRIGHT_DEBIAN_MIRROR: 'http://mine.example/debian' }
  assert.equal(archives({ 'etc/os-release': DEBIAN_12 }, env)[0]?.uri, 'http://mine.example/debian')
})

test('a host that names no archive is told what to do', () => {
  assert.throws(() => archives({ 'etc/os-release': UBUNTU }), {
    code: 'image.sources.none',
    seen: 'Ubuntu 24.04 names none, and debootstrap is not installed',
  })
})
