import { spawn } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../image/build.js'
import { runRecord, type RunRecord } from '../record/record.js'
import { playwrightCli } from './playwright.js'
import { RESULTS } from './results.js'
import { Started, type Ended } from './started.js'

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
const CLI = join(REPOSITORY, 'dist/harness/cli/main.js')
const IMAGE = 'xen-dom0-tiny'

/** A defect of {@link TestProject}'s image: its kernel finds no first program. */
export const PANICS = 'panics'

/**
 * A project in a folder of its own, as a user of the library has one, for tests that run the command line: a lab, the
 * repository's image, and suites of the given spec files. Disposing removes it.
 */
export class TestProject implements Disposable {
  readonly root: string

  private constructor(root: string) {
    this.root = root
  }

  /** @param suites spec files by suite and name: `{ first: { 'a.spec.ts': '...' } }`; each imports from "bootwright" */
  static create(
    suites: Readonly<Record<string, Readonly<Record<string, string>>>>,
    { image = IMAGE } = {},
  ): TestProject {
    const root = mkdtempSync(join(tmpdir(), 'bw-project-'))
    const project = new TestProject(root)
    for (const folder of ['labs', 'images', 'suites', 'node_modules', 'tmp']) mkdirSync(join(root, folder))
    cpSync(join(REPOSITORY, 'labs/local.yaml'), join(root, 'labs/local.yaml'))
    // Copies: what is built from them is the same, and a test may spoil them. One image has parts of another.
    for (const name of new Set([IMAGE, image])) {
      cpSync(join(REPOSITORY, 'images', name), join(root, 'images', name), {
        recursive: true,
        verbatimSymlinks: true,
      })
    }
    project.write(
      `images/${image}/defects/${PANICS}.yaml`,
      'defect: the kernel finds no first program\ncaughtBy: { suite: none, test: any }\nchange: { kernelArgs: rdinit=/none }\n',
    )
    symlinkSync(REPOSITORY, join(root, 'node_modules/bootwright'))
    project.write('package.json', '{ "type": "module" }')
    project.write(
      'playwright.config.ts',
      `import { bootwrightConfig } from 'bootwright/config'\nexport default bootwrightConfig()\n`,
    )
    for (const [suite, files] of Object.entries(suites)) {
      project.write(`suites/${suite}/suite.yaml`, `describe: a suite of a test\nimages: [${image}]\n`)
      for (const [file, text] of Object.entries(files)) project.write(`suites/${suite}/${file}`, text)
    }
    return project
  }

  write(file: string, text: string): void {
    const path = join(this.root, file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }

  /** Environment in which images come from the repository's cache, and saved states are the project's own. */
  withoutSavedStates(): NodeJS.ProcessEnv {
    const [shared, own] = [cacheFolder(REPOSITORY), join(this.root, 'cache')]
    mkdirSync(own)
    for (const folder of ['images', 'builder']) {
      // Nothing may have been built yet.
      mkdirSync(join(shared, folder), { recursive: true })
      symlinkSync(join(shared, folder), join(own, folder))
    }
    return { BOOTWRIGHT_CACHE: own }
  }

  /** `bootwright ...` in this project. */
  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    return this.spawn(process.execPath, [CLI, ...args], env)
  }

  /** The same in a terminal of its own, whose settings are printed at the end, as well as `exit code N`. */
  startInTerminal(args: readonly string[]): Started {
    const command = `'${process.execPath}' '${CLI}' ${args.join(' ')}; echo "exit code $?"; stty -a`
    return this.spawn('script', ['--quiet', '--flush', '--command', command, '/dev/null'], {})
  }

  run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
    return this.start(args, env).ended
  }

  /** `npx playwright ...` in this project. */
  startPlaywright(args: readonly string[], env: NodeJS.ProcessEnv = {}): Started {
    return this.spawn(process.execPath, [playwrightCli(), ...args], env)
  }

  /** Names of all runs so far, the last one last. */
  runs(): string[] {
    try {
      return readdirSync(join(this.root, 'reports')).sort()
    } catch {
      return []
    }
  }

  /** A file that a run left; of the last run when none is named. */
  read(file: string, run = this.runs().at(-1) ?? 'none'): string {
    return readFileSync(join(this.root, 'reports', run, file), 'utf8')
  }

  record(run?: string): RunRecord {
    return runRecord.parse(JSON.parse(this.read(RESULTS.record, run)))
  }

  /** Processes of this project, however far from us: they carry its name in their environment. Pid and command line. */
  processes(): { pid: number; command: string }[] {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .flatMap(name => {
        try {
          if (!readFileSync(`/proc/${name}/environ`, 'utf8').includes(`\0${this.mark}\0`)) return []
          const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
          return command === '' ? [] : [{ pid: Number(name), command }]
        } catch {
          return []
        }
      })
  }

  /** Resolves with what is still there once all processes have ended, or after `patience` ms: nothing, one hopes. */
  async leftovers(patience = 20_000): Promise<string[]> {
    const until = Date.now() + patience
    // The kernel tells no one but their parents of the end of processes: looking again is all there is.
    while (this.processes().length > 0 && Date.now() < until) await new Promise(r => setTimeout(r, 50))
    return [...this.processes().map(({ command }) => command), ...this.temporaries()]
  }

  [Symbol.dispose](): void {
    for (const { pid } of this.processes()) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone by itself meanwhile.
      }
    }
    rmSync(this.root, { recursive: true, force: true, maxRetries: 5 })
  }

  /** Folders of sessions and of QEMUs, and memory counted for them; the lock for counting stays. */
  private temporaries(): string[] {
    return readdirSync(join(this.root, 'tmp'), { recursive: true, encoding: 'utf8' }).filter(path =>
      /^bootwright-\d+\/(?!memory(?:\/lock)?$)./.test(path),
    )
  }

  private get mark(): string {
    return `BOOTWRIGHT_TEST_PROJECT=${this.root}`
  }

  private spawn(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Started {
    const [name, value] = this.mark.split('=') as [string, string]
    const child = spawn(program, args, {
      cwd: this.root,
      // A process group of its own, as a terminal gives each command: Ctrl-C goes to all of it.
      detached: true,
      stdio: 'pipe',
      env: {
        ...process.env,
        // The test runner's own settings are not meant for what it tests.
        NODE_OPTIONS: '',
        NODE_TEST_CONTEXT: '',
        NO_COLOR: '1',
        BOOTWRIGHT_CACHE: process.env['BOOTWRIGHT_CACHE'] ?? join(REPOSITORY, '.cache'),
        TMPDIR: join(this.root, 'tmp'),
        [name]: value,
        ...env,
      },
    })
    return new Started(child)
  }
}
