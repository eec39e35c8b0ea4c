import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { readLab, type BoardDeclaration, type Lab } from '../board/inventory.js'
import { Fault } from '../fault/fault.js'
import { unknownName } from '../fault/usage.js'
import { loadImage, listImages, type ImageDeclaration } from '../image/declarations.js'
import { loadDefect } from '../image/defect.js'
import { checkBootTimeout, checkTitle, checkWorkers } from './asked-values.js'
import { boardsFor } from './choose-boards.js'
import { selectSuites, type Suite } from './suite.js'
import { workersFor } from './workers.js'

/** What a person asks for. */
export interface PlanRequest {
  root: string
  /** Suites, folders or files; none means all suites. */
  select?: readonly string[]
  images?: readonly string[]
  /** Boards or board classes; `all` for every board that fits. */
  boards?: readonly string[]
  lab?: string
  /** A regular expression that a test's full title must match. */
  title?: string
  tags?: readonly string[]
  accel?: 'auto' | 'kvm' | 'tcg'
  /** Seconds from power-on to a shell. */
  bootTimeout?: number
  /** Devices at once; as many as this machine carries when not said. */
  workers?: number
  /** A seeded defect built into the image. */
  variant?: string
  commandLine: readonly string[]
}

export interface ProjectPlan {
  /** `image@board-class` */
  name: string
  image: { name: string; features: string[]; variant?: string }
  boardClass: string
  boards: { name: string; declaration: BoardDeclaration }[]
  suites: { name: string; folder: string; files: string[]; testMemory: number }[]
}

/** What a run will do, frozen before it starts. Travels to the test workers as JSON. */
export interface Plan {
  run: string
  root: string
  runFolder: string
  lab: string
  commandLine: readonly string[]
  seed: number
  accel: 'auto' | 'kvm' | 'tcg'
  /** Milliseconds. */
  bootTimeout: number
  /** Devices at once. */
  workers: number
  title?: string
  tags: readonly string[]
  projects: ProjectPlan[]
}

const BOOT_TIMEOUT_S = 180

/** Reads and checks the declarations and freezes what will be done. Touches no board and builds nothing. */
export function makePlan(request: PlanRequest): Plan {
  checkTitle(request.title)
  checkBootTimeout(request.bootTimeout)
  checkWorkers(request.workers)
  const lab = readLab(request.root, request.lab ?? 'local')
  const projects = new Map<string, ProjectPlan>()
  for (const { suite, files } of selectSuites(request.root, request.select ?? [])) {
    for (const imageName of request.images?.length ? request.images : suite.images) {
      const image = loadImage(request.root, imageName)
      checkFeatures(suite, image, request.images !== undefined)
      for (const group of boardsFor(lab, image, request.boards ?? [])) {
        const fresh = projectOf(request, image, group)
        const project = projects.get(fresh.name) ?? fresh
        project.suites.push({ name: suite.name, folder: suite.folder, files, testMemory: suite.testMemory })
        projects.set(project.name, project)
      }
    }
  }
  return frozen(request, lab, [...projects.values()])
}

/** What a person asks for who wants to sit at a board. */
export interface BootPlanRequest extends Pick<
  PlanRequest,
  'root' | 'lab' | 'accel' | 'variant' | 'commandLine'
> {
  board: string
  /** The first that fits the board when not said. */
  image?: string
}

/** A plan for one board, without tests. */
export function makeBootPlan(request: BootPlanRequest): Plan & { projects: [ProjectPlan] } {
  const lab = readLab(request.root, request.lab ?? 'local')
  const declaration = lab.boards.get(request.board)
  if (!declaration) throw unknownName('board', request.board, [...lab.boards.keys()])
  const image =
    request.image === undefined
      ? firstImageFor(request.root, declaration.class)
      : loadImage(request.root, request.image)
  const [group] = boardsFor(lab, image, [request.board])
  const project = projectOf(request, image, group!)
  return { ...frozen(request, lab, [project]), projects: [project] }
}

function firstImageFor(root: string, boardClass: string): ImageDeclaration {
  const image = listImages(root).find(({ boardClasses }) => boardClasses.includes(boardClass))
  if (image) return image
  throw new Fault({
    code: 'usage.image.none',
    culprit: 'usage',
    expected: `an image for boards of class ${boardClass}`,
    seen: 'none is declared below images/',
    next: 'declare one, or choose another board: bootwright list',
  })
}

function projectOf(
  { variant }: Pick<PlanRequest, 'variant'>,
  image: ImageDeclaration,
  group: Pick<ProjectPlan, 'boardClass' | 'boards'>,
): ProjectPlan {
  if (variant !== undefined) loadDefect(image.folder, variant)
  return {
    name: `${image.name}@${group.boardClass}`,
    image: { name: image.name, features: image.features, ...(variant !== undefined && { variant }) },
    ...group,
    suites: [],
  }
}

function frozen(
  request: Omit<PlanRequest, 'select' | 'images' | 'boards'>,
  lab: Lab,
  projects: ProjectPlan[],
): Plan {
  const run = runName()
  return {
    run,
    root: request.root,
    runFolder: join(request.root, 'reports', run),
    lab: lab.name,
    commandLine: request.commandLine,
    seed: randomBytes(4).readUInt32BE(),
    accel: request.accel ?? 'auto',
    bootTimeout: (request.bootTimeout ?? BOOT_TIMEOUT_S) * 1000,
    workers: request.workers ?? workersFor(projects),
    ...(request.title !== undefined && { title: request.title }),
    tags: request.tags ?? [],
    projects,
  }
}

function checkFeatures(suite: Suite, image: ImageDeclaration, asked: boolean): void {
  const lacking = suite.requires.filter(feature => !image.features.includes(feature))
  if (lacking.length === 0) return
  throw new Fault({
    code: 'usage.image.unfit',
    culprit: 'usage',
    expected: `an image that declares ${suite.requires.join(', ')} for the suite ${suite.name}`,
    seen: `${image.name} does not declare ${lacking.join(', ')}`,
    next: asked
      ? `choose another image: bootwright list images`
      : `mend "images" in suites/${suite.name}/suite.yaml`,
  })
}

/** Sorts by time and is unique: two runs may start in the same second. */
function runName(): string {
  const time = new Date()
    .toISOString()
    .replace(/\.\d+Z$/, '')
    .replaceAll(/[-:]/g, '')
    .replace('T', '-')
  return `${time}-${randomBytes(2).toString('hex')}`
}
