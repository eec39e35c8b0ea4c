import type { Manifest } from './manifest.js'

/** A built image: a folder with its manifest (`manifest.json`) and the files it names. */
export interface Artefacts {
  folder: string
  manifest: Manifest
}
