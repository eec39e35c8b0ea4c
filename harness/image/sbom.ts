import { createHash } from 'node:crypto'
import type { Manifest } from './manifest.js'

/** Name of the bill of materials beside an image's manifest. */
export const SBOM = 'sbom.cdx.json'

/**
 * What an image is made of, as a bill of materials (CycloneDX 1.5, ECMA-424). It says no more than the manifest does, and has
 * no time and no chance in it: equal images have equal bills.
 */
export function sbomOf(manifest: Manifest): object {
  const { image, arch, key, inputs, artefacts } = manifest
  return {
    bomFormat: 'CycloneDX',
    specVersion: '1.5',
    serialNumber: `urn:uuid:${uuidOf(key)}`,
    version: 1,
    metadata: {
      component: {
        type: 'firmware',
        'bom-ref': image,
        name: image,
        version: key,
        properties: [{ name: 'bootwright:arch', value: arch }],
        components: artefacts.map(({ file, sha256 }) => ({
          type: 'file',
          name: file,
          hashes: hashes(sha256),
        })),
      },
      tools: {
        components: inputs.flatMap(input =>
          input.kind === 'tool' ? [{ type: 'application', name: input.name, version: input.version }] : [],
        ),
      },
    },
    components: inputs.flatMap(input => {
      if (input.kind === 'tool') return []
      if (input.kind === 'file') return [{ type: 'file', name: input.path, hashes: hashes(input.sha256) }]
      const { name, version, arch: built, sha256 } = input
      // Package URL specification, type "deb".
      const purl = `pkg:deb/debian/${encodeURIComponent(name)}@${encodeURIComponent(version)}?arch=${built}`
      return [{ type: 'library', 'bom-ref': purl, name, version, purl, hashes: hashes(sha256) }]
    }),
  }
}

function hashes(sha256: string) {
  return [{ alg: 'SHA-256', content: sha256 }]
}

/** A name-based UUID (RFC 9562, version 8: made by our own rule). */
function uuidOf(name: string): string {
  const bytes = createHash('sha256').update(name).digest().subarray(0, 16)
  bytes[6] = (bytes[6]! & 0x0f) | 0x80
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const hex = bytes.toString('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
