import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeAllure } from '../record/allure.js'
import { writeBootTexts } from '../record/boot-texts.js'
import { toJUnit } from '../record/junit.js'
import { runRecord, type RunRecord } from '../record/record.js'

/** Names of what a run leaves in its folder. */
export const RESULTS = {
  record: 'record.json',
  junit: 'junit.xml',
  allure: 'allure-results',
  html: 'html',
} as const

/**
 * Writes the record, and from it JUnit and Allure results and the text of each boot. The record comes first: it is what the
 * others are made from.
 */
export function writeResults(record: RunRecord, runFolder: string): void {
  mkdirSync(runFolder, { recursive: true })
  writeWhole(join(runFolder, RESULTS.record), `${JSON.stringify(runRecord.parse(record), undefined, 2)}\n`)
  writeWhole(join(runFolder, RESULTS.junit), toJUnit(record))
  writeBootTexts(record.devices, runFolder)
  writeAllure(record, runFolder, join(runFolder, RESULTS.allure))
}

/** A reader never sees half a file. */
function writeWhole(file: string, content: string): void {
  const draft = `${file}.${process.pid}.tmp`
  writeFileSync(draft, content)
  renameSync(draft, file)
}
