import { formatSize } from '../declare/size.js'
import type { Manifest } from './manifest.js'

/** A manifest as a person reads it. */
export function describeManifest({
  image,
  arch,
  key,
  boot,
  features,
  xen,
  inputs,
  artefacts,
}: Manifest): string {
  const packages = inputs.flatMap(input => (input.kind === 'package' ? [input] : []))
  const widest = Math.max(0, ...packages.map(({ name }) => name.length))
  const lines = [
    `${image} (${arch})  ${key}`,
    `boots by ${boot.method}; promises ${features.join(', ') || 'nothing'}`,
    ...(xen
      ? [`Xen ${xen.version}, guests: ${xen.guests.map(({ name, type }) => `${name} (${type})`).join(', ')}`]
      : []),
    '',
    ...artefacts.map(
      ({ file, size, sha256 }) => `${formatSize(size).padStart(8)}  ${file}  ${sha256.slice(0, 12)}`,
    ),
    '',
    ...packages.map(({ name, version, arch: built }) => `${name.padEnd(widest)}  ${version}  ${built}`),
  ]
  return `${lines.join('\n')}\n`
}
