import { builtinModules } from 'node:module'
import { dirname, relative, resolve, sep } from 'node:path'
import { FIXTURES_REACH, FLOORS, LAYERED } from './floors.mjs'
import { root } from './root.mjs'

/** ESLint rule: what a file may import, by where it stands. */
export const floorsRule = {
  meta: {
    type: 'problem',
    schema: [],
    messages: { forbidden: '{{ why }}' },
  },
  create(context) {
    const from = placeOf(context.filename)
    const check = source => {
      if (typeof source?.value !== 'string') return
      const why = objection(from, source.value, context.filename)
      if (why) context.report({ node: source, messageId: 'forbidden', data: { why } })
    }
    return {
      ImportDeclaration: node => check(node.source),
      ImportExpression: node => check(node.source),
      ExportAllDeclaration: node => check(node.source),
      ExportNamedDeclaration: node => check(node.source),
      TSImportType: node => check(node.source),
    }
  },
}

/** Why the file at `from` may not import `specifier`, or undefined when it may. */
function objection(from, specifier, filename) {
  if (!specifier.startsWith('.')) return objectionToPackage(from, specifier)
  const to = placeOf(resolve(dirname(filename), specifier))
  if (from.top === 'suites') {
    if (to.top === 'suites' && to.folder === from.folder) return undefined
    return `a suite imports from 'bootwright' and from its own folder, not ${shown(to)}`
  }
  if (to.top === 'suites') return `nothing imports a suite; ${shown(from)} must not import ${shown(to)}`
  if (from.top === 'fixtures' && to.top === 'harness') {
    if (floorOf(to.folder) <= floorOf(FIXTURES_REACH)) return undefined
    return `fixtures must not import ${shown(to)}: they reach up to ${FIXTURES_REACH}`
  }
  if (from.top !== 'harness') return undefined
  if (to.top === 'fixtures' || to.top === 'bench' || to.top === 'setup') {
    return belowAll(from, to.top)
  }
  if (to.top !== 'harness') return undefined
  return objectionToFloor(from, to)
}

function objectionToPackage(from, name) {
  if (name === '@playwright/test' || name.startsWith('@playwright/test/')) {
    if (from.top === 'fixtures' || from.top === 'playwright.config.ts') return undefined
    return 'only fixtures/ and playwright.config.ts import @playwright/test'
  }
  if (from.top === 'harness' && name === 'bootwright') return belowAll(from, 'fixtures')
  if (from.top !== 'suites') return undefined
  if (name === 'bootwright' || name.startsWith('node:') || builtinModules.includes(name)) return undefined
  return `a suite imports from 'bootwright', not from '${name}'`
}

function belowAll(from, top) {
  return `${shown(from)} must not import ${top}/: the harness stands below it`
}

function objectionToFloor(from, to) {
  if (from.folder === to.folder) return undefined
  const lower = floorOf(to.folder)
  const own = floorOf(from.folder)
  const unknown = own < 0 ? from : lower < 0 ? to : undefined
  if (unknown) return `harness/${unknown.folder} stands on no floor: give it one in setup/floors.mjs`
  if (lower < own || LAYERED[from.folder]?.includes(to.folder)) return undefined
  // A test may put neighbours together, which is what the floor above does.
  if (lower === own && from.isTest) return undefined
  const relation = lower === own ? 'its neighbour' : 'which is above it'
  return `${shown(from)} must not import ${shown(to)}, ${relation}`
}

function floorOf(folder) {
  return FLOORS.findIndex(floor => floor.includes(folder))
}

/** The top folder (or file) of the repository that `path` is in, and the folder below that. */
function placeOf(path) {
  const [top, folder] = relative(root, path).split(sep)
  return { top, folder, isTest: /\.test\.[jt]s$/.test(path) }
}

function shown({ top, folder }) {
  return top === 'harness' ? `${folder} (floor ${floorOf(folder) + 1})` : `${top}/${folder ?? ''}`
}
