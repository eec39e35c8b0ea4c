import { access, constants } from 'node:fs/promises'
import { archivesFor, type SourcesHost } from '../../image/debian/sources.js'
import type { Check } from './check.js'

const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
/** What our own images are built from. */
const SUITE = 'bookworm'

/** What building images from Debian packages rests on. Asks the network nothing: an archive may be down tomorrow too. */
export function debianChecks(
  host: SourcesHost = { env: process.env, root: '/' },
  keyring = KEYRING,
): Check[] {
  return [
    {
      name: 'Debian archive keys',
      needed: true,
      check: () =>
        access(keyring, constants.R_OK).then(
          () => ({ ok: true, seen: keyring }),
          () => ({
            ok: false,
            seen: `${keyring} cannot be read`,
            remedy: 'sudo apt-get install debian-archive-keyring',
          }),
        ),
    },
    {
      name: 'Debian archive',
      needed: true,
      async check() {
        const archives = archivesFor(SUITE, host)
        return { ok: true, seen: archives.flatMap(({ suites }) => suites).join(', ') }
      },
    },
  ]
}
