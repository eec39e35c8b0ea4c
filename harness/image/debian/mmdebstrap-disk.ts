import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { Fault } from '../../fault/fault.js'
import { run } from '../../process/run.js'
import { tar } from '../tar.js'
import type { FileTree } from '../tree.js'

export interface DiskRequest {
  /** Tar archive of the system, from `debianBase`. */
  base: string
  /** Patterns of absolute paths that are left out of the system (`*` stands for slashes too). */
  leaveOut: readonly string[]
  /** Laid over it. */
  overlay: FileTree
  /** Version of the kernel whose modules are in the overlay: they are indexed. */
  kernelVersion: string
  /** Absolute paths taken away when all else is there, and files laid over that. */
  remove: readonly string[]
  tampered: FileTree
  /** Where the ext4 file system is written, and its size in bytes. */
  file: string
  size: number
  /** Decides the file system's UUID and hash seed. */
  identity: string
  epoch: number
  scratch: string
  signal: AbortSignal
}

/** Exit codes of the script below, for what is the declaration's fault. */
const NOTHING_THERE = 40
const LEADS_OUT = 41

/**
 * fakeroot remembers owners and permissions that this user may not set; so all of it, to the writing of the file
 * system, is one run. `$1` is the scratch folder with the inputs, `$2` the base, `$3` the file to write.
 */
const SCRIPT = `
root=$(readlink -f "$1/root")
tar -x -p --numeric-owner -f "$2" -C "$root" --anchored --wildcards --exclude-from="$1/left-out"
overlay() {
	while read -r folder; do
		# A link in the system could lead what is laid over it to this machine's own files.
		case $(readlink -m "$root$folder")/ in "$root"/*) ;; *) echo "$folder"; exit ${LEADS_OUT} ;; esac
	done <"$1.folders"
	tar -x -p --numeric-owner --no-overwrite-dir --keep-directory-symlink -f "$1.tar" -C "$root"
}
overlay "$1/overlay"
env -u LD_PRELOAD -u LD_LIBRARY_PATH "$root/lib64/ld-linux-x86-64.so.2" \\
	--library-path "$root/usr/lib/x86_64-linux-gnu" --argv0 depmod "$root/usr/bin/kmod" -b "$root" "$KERNEL_VERSION"
while read -r path; do
	[ -e "$root$path" ] || [ -L "$root$path" ] || { echo "$path"; exit ${NOTHING_THERE}; }
	rm -rf "$root$path"
done <"$1/remove"
overlay "$1/tampered"
truncate -s "$SIZE" "$3"
mkfs.ext4 -q -F -m 1 -L root -U "$UUID" -E "hash_seed=$HASH_SEED,root_owner=0:0" -d "$root" "$3"
`

/**
 * A root file system on an ext4 disk without a partition table, made without root and without mounting anything.
 *
 * @throws Fault `image.disk.*`, `image.defect.void`; the signal's reason when aborted
 */
export async function writeDisk(request: DiskRequest): Promise<void> {
  const { base, leaveOut, overlay, tampered, remove, file, size, epoch, scratch, signal } = request
  await mkdir(join(scratch, 'root'), { mode: 0o755 })
  await writeFile(join(scratch, 'left-out'), lines([...leaveOut, '/dev/*'].map(pattern => `.${pattern}`)))
  await writeFile(join(scratch, 'remove'), lines(remove))
  for (const [name, tree] of Object.entries({ overlay, tampered })) {
    await writeFile(join(scratch, `${name}.tar`), tar(tree, epoch))
    await writeFile(join(scratch, `${name}.folders`), lines(foldersOf(tree)))
  }
  const { code, stdout, stderr } = await run(
    'fakeroot',
    ['--', 'sh', '-euc', SCRIPT, 'sh', scratch, base, file],
    {
      signal,
      env: {
        ...process.env,
        LC_ALL: 'C.UTF-8',
        PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
        KERNEL_VERSION: request.kernelVersion,
        SIZE: String(size),
        UUID: uuid(`${request.identity} file system`),
        HASH_SEED: uuid(`${request.identity} hash seed`),
        // e2fsprogs takes it for the present time.
        E2FSPROGS_FAKE_TIME: String(epoch),
      },
    },
  )
  if (code !== 0) throw failed(code, stdout.toString().trim(), stderr)
}

function failed(code: number, said: string, errors: string): Fault {
  if (code === NOTHING_THERE) {
    return new Fault({
      code: 'image.defect.void',
      culprit: 'usage',
      expected: `${said} in the image, for the defect to take away`,
      seen: 'there is no such path',
      next: 'correct the defect: as it is, it changes nothing',
    })
  }
  if (code === LEADS_OUT) {
    return new Fault({
      code: 'image.disk.overlay',
      culprit: 'usage',
      expected: 'an overlay that stays within the image',
      seen: `${said} is a link in the image that leads out of it`,
      next: 'name the folder that the link stands for',
    })
  }
  return new Fault({
    code: 'image.disk.failed',
    culprit: 'harness',
    expected: 'the root file system to be written',
    seen: `the script that writes it ended with exit code ${code}`,
    next: 'read what it said; is "disk" in image.yaml large enough?',
    evidence: errors.trim().split('\n').slice(-12),
  })
}

function foldersOf(tree: FileTree): string[] {
  const files = tree.sorted().filter(([, entry]) => entry.kind !== 'folder')
  return [...new Set(files.map(([path]) => posix.dirname(path)))]
}

function lines(items: readonly string[]): string {
  return items.map(item => `${item}\n`).join('')
}

/** The same name, the same UUID (of version 8, RFC 9562: made as we like). */
export function uuid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}
