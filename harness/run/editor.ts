/**
 * Whether this process is the server with which an editor, or the runner's own window, runs tests: it lives on from click to
 * click, and must not be ended by us.
 */
export function servesEditor(argv: readonly string[] = process.argv): boolean {
  return argv.some(argument => argument === 'test-server' || /^--ui(-host|-port)?(=|$)/.test(argument))
}
