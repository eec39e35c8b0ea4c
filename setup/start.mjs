// `npm start`: the Xen suite on the tiny Xen image, on this machine's QEMU boards. Arguments are those of `bootwright run`.
import { asCommand } from './failure.mjs'
import { runInOurPlace } from './child.mjs'
import { root } from './root.mjs'
import { setUp } from './setup.mjs'

await asCommand(async () => {
  await setUp({ dev: false })
  const run = ['run', 'suites/xen', '--image', 'xen-dom0-tiny', ...process.argv.slice(2)]
  return runInOurPlace(process.execPath, ['dist/harness/cli/main.js', ...run], { cwd: root })
})
