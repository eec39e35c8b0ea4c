import { join } from 'node:path'
import { readDeclaration } from '../declare/declaration.js'
import { imageNames } from '../declare/declared-names.js'
import { unknownName } from '../fault/usage.js'
import { anyDeclaration } from './backends.js'
import type { CommonDeclaration } from './declaration.js'
import type { Arch } from './manifest.js'

/** An image as its folder declares it. */
export interface ImageDeclaration {
  /** Name of its folder below images/. */
  name: string
  folder: string
  description: string
  architectures: Arch[]
  /** Board classes of all architectures. */
  boardClasses: string[]
  features: string[]
  /** All of image.yaml, for the builder. */
  declared: CommonDeclaration
}

const FILE = 'image.yaml'

/** Reads `images/<name>/image.yaml` below `root`. @throws Fault `usage.image.unknown`, `declare.*` */
export function loadImage(root: string, name: string): ImageDeclaration {
  const known = imageNames(root)
  if (!known.includes(name)) throw unknownName('image', name, known)
  const folder = join(root, 'images', name)
  const declared = readDeclaration(join(folder, FILE), anyDeclaration)
  return {
    name,
    folder,
    description: declared.description,
    architectures: Object.keys(declared.architectures) as Arch[],
    boardClasses: Object.values(declared.architectures).flatMap(({ boardClasses }) => boardClasses),
    features: declared.features,
    declared,
  }
}

/** Every image below `images/`, by name. @throws Fault `declare.*` for one that is declared wrongly */
export function listImages(root: string): ImageDeclaration[] {
  return imageNames(root).map(name => loadImage(root, name))
}
