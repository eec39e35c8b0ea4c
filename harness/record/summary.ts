import pc from 'picocolors'
import type { Culprit } from '../fault/fault.js'
import { lastAttempt, type RunRecord, type TestRecord } from './record.js'

type Colour = (text: string) => string

/** A run as a person reads it in five seconds: what failed and whose it is, the counts, how long. Lines without an end. */
export function summarise(record: RunRecord, colours: boolean): string[] {
  const paint = pc.createColors(colours)
  const lines: string[] = []
  for (const test of record.tests) {
    const { verdict } = lastAttempt(test)
    if (verdict.verdict !== 'fail' && verdict.verdict !== 'error') continue
    lines.push(
      '',
      paint.red(`${verdict.verdict.toUpperCase()} ${test.title.join(' › ')}`),
      `  ${sentence(test)}`,
      ...(verdict.message ?? '').split('\n').map(line => `  ${line}`),
      ...nextSteps(record, test).map(next => `  next: ${next}`),
      paint.dim(`  ${test.file}:${test.line} · ${test.project}`),
    )
  }
  lines.push('', counts(record, paint))
  return lines
}

/** What the faults that ended a test say can be done. */
function nextSteps(record: RunRecord, test: TestRecord): string[] {
  const { faults } = lastAttempt(test)
  return record.faults.filter(fault => faults.includes(fault.id)).map(fault => fault.next)
}

/** "What, at which stage, who is to blame, why we think so." */
export function sentence(test: TestRecord): string {
  const { verdict } = lastAttempt(test)
  const stage = verdict.stage ? ` at the stage "${verdict.stage}"` : ''
  return `${verdict.code ?? verdict.verdict}${stage}: ${blame(verdict.culprit)} (rule: ${verdict.rule})`
}

function blame(culprit: Culprit | undefined): string {
  switch (culprit) {
    case 'product':
      return 'the product is to blame'
    case 'undecided':
      return 'it is undecided who is to blame'
    case undefined:
      return 'nobody is to blame'
    case 'test':
    case 'lab':
    case 'harness':
    case 'usage':
      return `the ${culprit} is to blame, not the product`
  }
}

function counts(record: RunRecord, paint: ReturnType<typeof pc.createColors>): string {
  const colour: Record<string, Colour> = {
    pass: paint.green,
    fail: paint.red,
    error: paint.red,
    miss: paint.yellow,
    skip: paint.dim,
  }
  const words: Record<string, string> = {
    pass: 'passed',
    fail: 'failed',
    error: 'errors',
    miss: 'missed',
    skip: 'skipped',
  }
  const parts = Object.entries(words).flatMap(([verdict, word]) => {
    const count = record.tests.filter(test => lastAttempt(test).verdict.verdict === verdict).length
    return count > 0 || verdict === 'pass' ? [colour[verdict]!(`${count} ${word}`)] : []
  })
  const boots = record.devices.reduce(
    (sum, device) => sum + device.boots.filter(({ cause }) => cause !== 'restore').length,
    0,
  )
  const seconds = ((record.endedAt - record.startedAt) / 1000).toFixed(1)
  return `${parts.join(', ')} · ${boots} ${boots === 1 ? 'boot' : 'boots'} · ${seconds} s${record.interrupted ? paint.red(' · interrupted') : ''}`
}
