import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { CommandModule } from 'yargs'
import { EXIT } from '../fault/exit.js'

// dist/harness/cli/doctor.js
const ROOT = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))))

interface Arguments {
  lab: string
  json: boolean
}

export const doctorCommand: CommandModule<object, Arguments> = {
  command: 'doctor',
  describe:
    'check that this machine has what building and booting need, and say what to do about what it has not',
  builder: yargs =>
    yargs
      .option('lab', {
        type: 'string',
        default: 'local',
        describe: 'the lab whose boards are to run here: a file of labs/',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print {ok, checks} as JSON' }),
  handler: async ({ lab, json }) => {
    // Loaded only now: every other verb starts without the builder and QEMU.
    const [{ allChecks }, { diagnose }, { tell }] = await Promise.all([
      import('./doctor/all.js'),
      import('./doctor/check.js'),
      import('./doctor/tell.js'),
    ])
    const diagnoses = await diagnose(allChecks(ROOT, lab))
    const ok = diagnoses.every(diagnosis => diagnosis.ok || !diagnosis.needed)
    process.stdout.write(
      json ? `${JSON.stringify({ ok, checks: diagnoses }, undefined, 2)}\n` : tell(diagnoses),
    )
    process.exitCode = ok ? EXIT.passed : EXIT.lab
  },
}
