/** Set-up that cannot go on: its message is the one thing the person has to read, so no stack is shown. */
export class SetupFailure extends Error {
  exitCode

  constructor(message, exitCode = 2) {
    super(message)
    this.exitCode = exitCode
  }
}

/** Runs a command of `setup/` and ends the process with its exit code; a SetupFailure ends it with its message. */
export async function asCommand(main) {
  try {
    process.exitCode = (await main()) ?? 0
  } catch (error) {
    if (!(error instanceof SetupFailure)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exitCode = error.exitCode
  }
}
