import type { BoardDeclaration, Lab } from '../board/inventory.js'
import { Fault } from '../fault/fault.js'
import { unknownName } from '../fault/usage.js'
import type { ImageDeclaration } from '../image/declarations.js'

/** The boards to use, by class: those named, or the lab's first board that fits. */
export function boardsFor(lab: Lab, image: ImageDeclaration, asked: readonly string[]) {
  const fitting = [...lab.boards].filter(([, board]) => image.boardClasses.includes(board.class))
  const everything = [...new Set([...lab.boards].flatMap(([name, board]) => [name, board.class]))]
  for (const name of asked) {
    if (name !== 'all' && !everything.includes(name)) throw unknownName('board', name, everything)
  }
  const chosen = asked.length
    ? fitting.filter(([name, board]) => asked.some(a => a === 'all' || a === name || a === board.class))
    : fitting.slice(0, 1)
  if (chosen.length === 0) {
    throw new Fault({
      code: 'usage.board.unfit',
      culprit: 'usage',
      expected: `a board of class ${image.boardClasses.join(' or ')}, which ${image.name} is built for`,
      seen: asked.length ? `${asked.join(', ')} is none` : `the lab ${lab.name} has none`,
      next: fitting.length
        ? `boards that fit: ${fitting.map(([name]) => name).join(', ')}`
        : `add one to ${lab.file}`,
    })
  }
  const classes = new Map<string, { name: string; declaration: BoardDeclaration }[]>()
  for (const [name, declaration] of chosen) {
    classes.set(declaration.class, [...(classes.get(declaration.class) ?? []), { name, declaration }])
  }
  return [...classes].map(([boardClass, boards]) => ({ boardClass, boards }))
}
