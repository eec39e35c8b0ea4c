import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { DefectsReport } from './defects.js'
import { repositoryRoot } from './root.js'
import { TestProject } from './test-project.js'

describe('every seeded defect is caught by the test that is meant for it', () => {
  for (const [suite, image, least] of [
    ['xen', 'xen-dom0-tiny', 30],
    ['xen', 'xen-dom0', 3],
    ['smoke', 'xen-dom0', 1],
  ] as const) {
    describe(`suites/${suite} on ${image}`, () => {
      let project: TestProject
      before(() => {
        project = TestProject.create({}, { image })
        cpSync(join(repositoryRoot(), 'suites', suite), join(project.root, 'suites', suite), {
          recursive: true,
        })
      })
      after(() => project[Symbol.dispose]())

      test('none is missed', async () => {
        const args = ['defects', `suites/${suite}`, '--image', image, '--accel', 'tcg', '--json']
        const { code, output } = await project.run(args)
        const report = JSON.parse(output.slice(output.indexOf('{\n'))) as DefectsReport
        assert.deepEqual(report.missed, [])
        assert.equal(report.caught, report.total)
        assert.ok(report.total >= least, `${report.total} defects`)
        assert.equal(code, 0)
      })
    })
  }
})
