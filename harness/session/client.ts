import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MessageConnection, RequestType } from 'vscode-jsonrpc/node'
import { Fault, type FaultJson } from '../fault/fault.js'
import { identify, type ProcessIdentity } from '../process/identity.js'
import { makeSessionFolder, sessionFolder, socketIn } from './place.js'
import { protocol } from './protocol.js'
import { connectionOver, faultOfResponse } from './rpc.js'

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url))

/** A connection to the session of a runner. Closing it leaves the session and its boards as they are. */
export class SessionClient implements Disposable {
  private constructor(
    private readonly connection: MessageConnection,
    private readonly socket: Socket,
  ) {
    connection.onNotification(protocol.grown, ({ device, length, ended }) => {
      for (const listener of this.growth.get(device) ?? []) listener(length, ended)
    })
    connection.onNotification(protocol.progress, ({ text }) => this.onProgress(text))
    connection.onClose(() => {
      connection.dispose()
      this.onLost()
    })
    connection.listen()
  }

  private readonly growth = new Map<string, Set<(length: number, ended?: string) => void>>()
  private readonly lost = new Set<() => void>()
  /** Called with a line of progress while a device is made ready. */
  onProgress: (text: string) => void = () => {}

  /**
   * Attaches to the session of `runner`, starting it when there is none: then it writes what it says of itself to
   * session.log in `logFolder`.
   *
   * @throws Fault `harness.session.*`
   */
  static async attach(runner: ProcessIdentity, logFolder: string): Promise<SessionClient> {
    const folder = makeSessionFolder(runner)
    const socket = (await tryConnect(socketIn(folder))) ?? (await startAndConnect(folder, runner, logFolder))
    return new SessionClient(connectionOver(socket), socket)
  }

  /** Ends the session of `runner`, if there is one: boards off, recordings closed. @throws Fault `harness.session.lost` */
  static async finish(runner: ProcessIdentity): Promise<void> {
    const folder = sessionFolder(runner)
    const socket = await tryConnect(socketIn(folder))
    if (socket) {
      using client = new SessionClient(connectionOver(socket), socket)
      await client.connection.sendRequest(protocol.finish).catch((error: unknown) => {
        throw faultOfResponse(error)
      })
    }
    // One that was killed has left it behind.
    else rmSync(folder, { recursive: true, force: true })
  }

  async request<P, R>(type: RequestType<P, R, FaultJson>, params: P): Promise<R> {
    try {
      return await this.connection.sendRequest<R>(type.method, params)
    } catch (error) {
      throw faultOfResponse(error)
    }
  }

  /** Calls `listener` when the device's recording has grown or its console has ended or come back. */
  onGrown(device: string, listener: (length: number, ended?: string) => void): () => void {
    const listeners = this.growth.get(device) ?? new Set()
    this.growth.set(device, listeners.add(listener))
    return () => listeners.delete(listener)
  }

  onLostConnection(listener: () => void): () => void {
    this.lost.add(listener)
    return () => this.lost.delete(listener)
  }

  [Symbol.dispose](): void {
    this.connection.dispose()
    this.socket.destroy()
  }

  private onLost(): void {
    for (const listener of this.lost) listener()
  }
}

function tryConnect(path: string): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED') resolve(undefined)
      else reject(error)
    })
  })
}

/**
 * Starts a session process that outlives its starter, and waits for its word that it listens. When two workers start
 * one at once, the second session finds the socket taken, says so and ends; both workers attach to the first.
 */
async function startAndConnect(folder: string, runner: ProcessIdentity, logFolder: string): Promise<Socket> {
  mkdirSync(logFolder, { recursive: true })
  const logFile = join(logFolder, 'session.log')
  const log = openSync(logFile, 'a')
  const child = spawn(process.execPath, [MAIN, String(runner.pid), runner.start], {
    detached: true,
    stdio: ['ignore', 'pipe', log],
    // A debugger or a loader of the test worker is not meant for the session.
    execArgv: [],
    env: { ...process.env, NODE_OPTIONS: '' },
  } as Parameters<typeof spawn>[2])
  closeSync(log)
  const said = await new Promise<string>(resolve => {
    child.stdout!.once('data', (chunk: Buffer) => resolve(chunk.toString()))
    child.once('exit', code => resolve(`exit code ${code}`))
    child.once('error', error => resolve(error.message))
  })
  child.stdout!.destroy()
  child.unref()
  const socket = await tryConnect(socketIn(folder))
  if (socket) return socket
  throw new Fault({
    code: 'harness.session.start',
    culprit: 'harness',
    expected: 'a session process that listens',
    seen: `it did not start (${said.trim()})`,
    next: `read ${logFile}`,
  })
}

/** The process that the session belongs to, seen from a test worker: its parent. */
export function runnerOfWorker(): ProcessIdentity {
  return mustExist(process.ppid)
}

export function mustExist(pid: number): ProcessIdentity {
  const identity = identify(pid)
  if (identity) return identity
  throw new Fault({
    code: 'harness.runner.gone',
    culprit: 'harness',
    expected: `the test runner with process id ${pid}`,
    seen: 'it has ended',
    next: 'start the run again',
  })
}
