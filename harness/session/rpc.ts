import type { Socket } from 'node:net'
import {
  createMessageConnection,
  ResponseError,
  StreamMessageReader,
  StreamMessageWriter,
  type MessageConnection,
  type RequestType,
} from 'vscode-jsonrpc/node'
import { Fault, type FaultJson } from '../fault/fault.js'

const FAULT = -32001

/** A JSON-RPC connection over a socket, on which a {@link Fault} thrown at one end is thrown at the other. */
export function connectionOver(socket: Socket): MessageConnection {
  return createMessageConnection(new StreamMessageReader(socket), new StreamMessageWriter(socket))
}

export function answer<P, R>(
  connection: MessageConnection,
  type: RequestType<P, R, FaultJson>,
  handler: (params: P) => Promise<R> | R,
): void {
  connection.onRequest(type.method, async (params: P) => {
    try {
      return (await handler(params)) ?? null
    } catch (error) {
      const fault = Fault.wrap(error)
      return new ResponseError(FAULT, fault.message, fault.toJSON())
    }
  })
}

/** The fault that a failed request carried; a lost connection is a fault of its own. */
export function faultOfResponse(error: unknown): Fault {
  if (error instanceof ResponseError && error.code === FAULT) return Fault.from(error.data as FaultJson)
  return new Fault({
    code: 'harness.session.lost',
    culprit: 'harness',
    expected: 'the session that owns the boards to answer',
    seen: `its connection ended (${error instanceof Error ? error.message : String(error)})`,
    next: 'see session.log in the run folder; the next test starts a new session',
    cause: error,
  })
}
