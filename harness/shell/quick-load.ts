import { packed } from './loop-script.js'
import { withoutNoise } from './noise.js'
import type { ShellPort } from './port.js'
import type { Typist } from './typing.js'

/** Bytes of a line, newline included: Xen's console loses some when 150 come at once. */
const LINE = 96
/** Ms for a line to be acknowledged. */
const PATIENCE = 1500

/**
 * Loads a script into the shell at the prompt and runs it, several times as fast as typing it: without echo, which on a
 * console behind a console costs more than all else. Each line is acknowledged with the length of all so far, and the
 * packed script proves itself by its check sum.
 *
 * @returns false when it did not come through: the shell is at its prompt again, or will be
 */
export async function loadQuickly(
  port: ShellPort,
  typist: Typist,
  { script, shell }: { script: string; shell: string },
  limits: { timeout: number; signal?: AbortSignal },
): Promise<boolean> {
  const typed = await typist.type(id => `: ${id};${quickLoader(shell)}`, { ...limits, enter: true })
  if (typeof typed === 'string') return false
  const text = packed(script)
  const { reader } = port
  for (let at = 0; at < text.length; at += LINE - 1) {
    const line = text.slice(at, at + LINE - 1)
    const cursor = reader.cursor()
    const from = cursor.position
    await port.write(Buffer.from(`${line}\n`))
    const expected = `~${at + line.length}~`
    const found = await cursor.find([expected], { ...limits, timeout: Math.min(PATIENCE, limits.timeout) })
    const came = withoutNoise(reader.readBytes(from, reader.length).toString('latin1')).includes(expected)
    if (found.kind === 'match' || came) continue
    // What has come is no script: the shell reads on from its prompt.
    await port.write(Buffer.from('\n.\n'))
    return false
  }
  await port.write(Buffer.from('.\n'))
  return true
}

function quickLoader(shell: string): string {
  return (
    'stty sane -echo;b=;while IFS= read -r l&&[ "$l" != . ];do b=$b$l;echo "~${#b}~";done;stty sane;' +
    `b=$(echo $b|base64 -d|gunzip)&&export b&&\${__x-} ${shell} -c 'eval "$b"'`
  )
}
