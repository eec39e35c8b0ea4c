import { Stage, Status, type TestResult } from 'allure-js-commons'
import { FileSystemWriter, ReporterRuntime } from 'allure-js-commons/sdk/reporter'
import { consoleText } from './console-text.js'
import { lastAttempt, type Device, type RunRecord, type TestRecord, type Verdict } from './record.js'

/**
 * Writes the record as Allure results. A failure of the product is `failed`; whatever kept the product from being judged
 * (lab, harness, test) is `broken`; a miss is `broken` as well, a skip is `skipped`.
 */
export function writeAllure(record: RunRecord, runFolder: string, resultsDir: string): void {
  const runtime = new ReporterRuntime({
    writer: new FileSystemWriter({ resultsDir }),
    environmentInfo: Object.fromEntries(
      record.images.map(image => [`image.${image.image}.${image.arch}`, image.key.slice(0, 19)]),
    ),
    categories: [
      category('Product', 'product'),
      category('Undecided', 'undecided'),
      category('Lab', 'lab'),
      category('Harness', 'harness'),
      category('Test', 'test'),
    ],
  })
  for (const test of record.tests) writeTest(runtime, test, record.devices, runFolder)
  runtime.writeCategoriesDefinitions()
  runtime.writeEnvironmentInfo()
}

/** Each message starts with its culprit, which is what Allure's categories are matched on. */
function category(name: string, culprit: string) {
  return { name, messageRegex: `(?s)^\\[${culprit}\\].*` }
}

function writeTest(
  runtime: ReporterRuntime,
  test: TestRecord,
  devices: readonly Device[],
  runFolder: string,
): void {
  const { verdict, startedAt, duration, console } = lastAttempt(test)
  const result: Partial<TestResult> = {
    name: test.title.at(-1)!,
    fullName: `${test.file}#${test.title.join(' ')}`,
    titlePath: [test.file, ...test.title.slice(0, -1)],
    start: startedAt,
    stage: Stage.FINISHED,
    status: statusOf(verdict),
    statusDetails:
      verdict.message === undefined
        ? {}
        : { message: `[${verdict.culprit ?? verdict.verdict}] ${verdict.message}` },
    labels: [
      { name: 'suite', value: test.file },
      { name: 'parentSuite', value: test.project },
      { name: 'framework', value: 'bootwright' },
      ...test.tags.map(tag => ({ name: 'tag', value: tag.replace(/^@/, '') })),
    ],
    parameters: [{ name: 'project', value: test.project }],
  }
  const uuid = runtime.startTest(result)
  if (console) {
    const { reference, text } = consoleText(runFolder, devices, console)
    runtime.writeAttachment(uuid, undefined, `console: ${reference}`, Buffer.from(text), {
      contentType: 'text/plain',
    })
  }
  runtime.stopTest(uuid, { stop: startedAt + duration, duration })
  runtime.writeTest(uuid)
}

export function statusOf(verdict: Verdict): Status {
  switch (verdict.verdict) {
    case 'pass':
      return Status.PASSED
    case 'fail':
      return Status.FAILED
    case 'skip':
      return Status.SKIPPED
    case 'error':
    case 'miss':
      return Status.BROKEN
  }
}
