import { existsSync, readFileSync } from 'node:fs'
import { Fault } from '../fault/fault.js'
import { buildImage, type BuildOptions } from './build.js'
import { loadImage } from './declarations.js'
import { manifest, type Arch, type Manifest } from './manifest.js'

type Asked = Pick<BuildOptions, 'root' | 'onProgress' | 'signal'> & { arch: Arch | undefined }

/** What is built when a person names an image and perhaps an architecture. @throws Fault `usage.image.unknown` */
export function requestFor(name: string, { arch, ...asked }: Asked): BuildOptions {
  return { ...asked, name, arch: arch ?? loadImage(asked.root, name).architectures[0]! }
}

/** The manifest of an image, which is built when it is not in the cache, or the one in a file. @throws Fault `usage.*`, `image.*` */
export async function manifestOf(what: string, asked: Asked): Promise<Manifest> {
  if (!what.endsWith('.json')) return (await buildImage(requestFor(what, asked))).manifest
  if (!existsSync(what)) throw unreadable(what, 'there is no such file')
  try {
    return manifest.parse(JSON.parse(readFileSync(what, 'utf8')))
  } catch (error) {
    throw unreadable(what, (error as Error).message.split('\n')[0]!)
  }
}

function unreadable(file: string, seen: string): Fault {
  return new Fault({
    code: 'usage.manifest.unreadable',
    culprit: 'usage',
    where: file,
    expected: 'the manifest of a built image',
    seen,
    next: 'name an image, or the manifest.json in the folder of a built one (bootwright build prints it)',
  })
}
