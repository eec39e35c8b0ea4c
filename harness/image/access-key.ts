import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from '../process/run.js'

/** A key pair with which the owner of this checkout, and nobody else, logs in to the images built in it. */
export interface AccessKey {
  /** Contents of the private key's file, OpenSSH's format. */
  private: Buffer
  /** The line for authorized_keys. */
  public: string
}

/**
 * The key pair of a cache; made when first wanted. One for all builds: equal inputs stay equal bytes, and yet no key
 * is in the repository for all the world to use.
 */
export async function accessKey(cache: string, signal: AbortSignal): Promise<AccessKey> {
  const folder = join(cache, 'access')
  if (!existsSync(folder)) {
    await mkdir(cache, { recursive: true })
    const fresh = await mkdtemp(`${folder}.`)
    try {
      const arguments_ = ['-q', '-t', 'ed25519', '-N', '', '-C', 'bootwright', '-f', join(fresh, 'key')]
      await runOrThrow('ssh-keygen', arguments_, {
        signal,
        code: 'image.access.key',
        expected: 'a key pair for logging in by SSH',
        next: 'install the package openssh-client',
      })
      await rename(fresh, folder).catch(() => {
        // Another build was quicker; its pair is as good.
      })
    } finally {
      await rm(fresh, { recursive: true, force: true })
    }
  }
  return {
    private: await readFile(join(folder, 'key')),
    public: (await readFile(join(folder, 'key.pub'), 'utf8')).trim(),
  }
}
