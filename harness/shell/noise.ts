/**
 * Lines that others write to a console, wherever they land: the kernel (printk time, with or without level and CPU),
 * Xen, systemd's boot messages. Each goes to the end of its line, as a console driver writes it in one piece.
 */
const NOISE =
  /(?:(?:<\d+>)?\[ *\d+\.\d{6}\](?:\[ *[TC]\d+\])?|\((?:XEN|d\d+)\)|(?:\x1b\[[0-9;]*m)*\[(?:\x1b\[[0-9;]*m)*(?: {2}OK {2}|FAILED| {1,2}WARN {1,2}|DEPEND|\*{1,3} *)(?:\x1b\[[0-9;]*m)*\])[^\r\n]*\r*\n/g

/** Where such lines are in `text`: `[from, to)` each. */
export function noiseIn(text: string): [number, number][] {
  return Array.from(text.matchAll(NOISE), match => [match.index, match.index + match[0].length])
}

export function withoutNoise(text: string): string {
  return text.replace(NOISE, '')
}
