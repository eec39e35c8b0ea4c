import { createInterface } from 'node:readline'

/**
 * Shows how far apt is, from the status lines it writes among its output (`APT::Status-Fd`): one line that changes on a
 * terminal, one line for each tenth elsewhere. Returns a function that gives everything else the child said.
 */
export function showProgress(child, out = process.stderr) {
  const said = []
  let shown = ''
  createInterface({ input: child.stderr }).on('line', line => said.push(line))
  createInterface({ input: child.stdout }).on('line', line => {
    const status = /^(dl|pm)status:[^:]*:([\d.]+):(.*)$/.exec(line)
    if (!status) return said.push(line)
    const [, phase, percent, what] = status
    const step = phase === 'dl' ? 'downloading' : 'installing'
    if (out.isTTY) {
      const text = `  ${step} ${Math.round(percent)} % ${what}`
      out.write(`\r\x1b[2K${text.slice(0, (out.columns ?? 80) - 1)}`)
      return
    }
    const text = `  ${step} ${Math.floor(percent / 10) * 10} %`
    if (text !== shown) out.write(`${text}\n`)
    shown = text
  })
  child.once('close', () => {
    if (out.isTTY) out.write('\r\x1b[2K')
  })
  return () => said
}
