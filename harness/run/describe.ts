import { relative } from 'node:path'
import { formatSize } from '../declare/size.js'
import type { Plan } from './plan.js'

/** A plan as a person reads it. */
export function describePlan(plan: Plan): string {
  const lines = [
    `lab ${plan.lab}, acceleration ${plan.accel}, ${plan.bootTimeout / 1000} s to boot, ${plan.workers} at once, seed ${plan.seed}`,
    ...(plan.title === undefined ? [] : [`tests whose title matches /${plan.title}/`]),
    ...(plan.tags.length ? [`tests tagged ${plan.tags.join(' and ')}`] : []),
  ]
  for (const project of plan.projects) {
    lines.push('', project.name)
    for (const { name, declaration } of project.boards) {
      lines.push(
        `  board ${name}: ${declaration.driver}, ${declaration.arch}, ${formatSize(declaration.memory)}, ${declaration.cpus} cpus`,
      )
    }
    for (const suite of project.suites) {
      const what = suite.files.length
        ? suite.files.map(file => relative(plan.root, file)).join(', ')
        : 'all tests'
      lines.push(`  suite ${suite.name}: ${what}`)
    }
  }
  return `${lines.join('\n')}\n`
}
