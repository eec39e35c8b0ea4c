// Terminal control: OSC (to BEL or ST), CSI, other two-byte escapes (ECMA-48), then what is left of C0 but tab and newline.
const CONTROL =
  /\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b\[[0-?]*[ -/]*[@-~]?|\x1b[ -/]*[0-~]?|[\x00-\x07\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]/g

/** Console text as a person would have seen it, for display: no control sequences, overwritten text gone. */
export function cleanText(text: string): string {
  return text.replace(CONTROL, '').split('\n').map(overwrite).join('\n')
}

/** The last `count` non-empty lines of `bytes`, cleaned. */
export function lastLines(bytes: Buffer, count: number): string[] {
  return cleanText(bytes.toString())
    .split('\n')
    .map(line => line.trimEnd())
    .filter(line => line !== '')
    .slice(-count)
}

/** What a carriage return or a backspace wrote over is gone. */
function overwrite(line: string): string {
  let text = line.replace(/\r+$/, '')
  text = text.slice(text.lastIndexOf('\r') + 1)
  if (!text.includes('\b')) return text
  const out: string[] = []
  for (const char of text) {
    if (char === '\b') out.pop()
    else out.push(char)
  }
  return out.join('')
}
