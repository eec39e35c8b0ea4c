import colours from 'picocolors'
import type { Diagnosis } from './check.js'

/** A line for each check, the remedy below what is not well, and what it comes to. */
export function tell(diagnoses: readonly Diagnosis[]): string {
  const problems = diagnoses.filter(({ ok, needed }) => !ok && needed).length
  const warnings = diagnoses.filter(({ ok, needed }) => !ok && !needed).length
  const lines = diagnoses.flatMap(diagnosis => [
    `${mark(diagnosis)} ${diagnosis.name}: ${diagnosis.seen}`,
    ...(diagnosis.ok || !diagnosis.remedy ? [] : [`    ${colours.bold(diagnosis.remedy)}`]),
  ])
  const sum = problems
    ? `${problems} of ${diagnoses.length} checks failed${warnings ? `, ${counted(warnings, 'warning')}` : ''}.`
    : `Ready${warnings ? `, with ${counted(warnings, 'warning')}` : ''}.`
  return `${[...lines, '', sum].join('\n')}\n`
}

function mark({ ok, needed }: Diagnosis): string {
  if (ok) return colours.green('✔')
  return needed ? colours.red('✖') : colours.yellow('!')
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
