import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc/node'
import type { BoardDeclaration } from '../board/inventory.js'
import type { FaultJson } from '../fault/fault.js'
import type { Manifest } from '../image/manifest.js'
import type { Boot, ConsoleRange, Finding, Isolation, Prepared } from '../record/record.js'
import type { Shells } from './shells.js'

/** What a session needs to know to get a device ready. Made from the frozen plan. */
export interface DeviceRequest {
  /** Name of the project, `image@board-class`. */
  project: string
  /** Folder of the repository, where `images/` is. */
  root: string
  /** Folder of the run, where the recording and the journal go. */
  runFolder: string
  image: { name: string; variant?: string }
  boards: { name: string; declaration: BoardDeclaration }[]
  accel: 'auto' | 'kvm' | 'tcg'
  /** Milliseconds from power-on to a shell. */
  bootTimeout: number
  /** How many devices may be powered at once. */
  workers: number
}

export interface AcquireParams {
  request: DeviceRequest
  isolation: Isolation
  /** Keys of the prepared states that lead to the one the test starts from, the last one being that; none: empty. */
  states: readonly string[]
  /** Id of the test that asks: the first one carries a boot failure, the others miss. */
  test: string
}

/** A session's answer; a device that did not boot is an answer too, and remembered. */
export type Outcome =
  | {
      kind: 'ready'
      device: DeviceState
      /** Those of the states asked for that the caller has to prepare, in order. */
      missing: readonly string[]
    }
  | { kind: 'failed'; fault: FaultJson; carrier: string; console?: ConsoleRange }

export interface DeviceState {
  /** Name of the device, unique in the run; a project has one for each worker that uses it at the same time. */
  device: string
  board: string
  /** Fencing number: what a test does with the device is refused once another test holds it. */
  grant: number
  /** Folder of the recording, absolute. */
  console: string
  /** Bytes recorded so far. */
  length: number
  manifest: Manifest
  artefacts: string
  facts: Record<string, unknown>
  shells: Shells
  prepared: Prepared
}

/** What the session knows of a device. */
export interface DeviceFacts {
  power: 'on' | 'off'
  /** The current or last one is the last. */
  boots: Boot[]
  findings: Finding[]
  /** What the board says of itself now. */
  facts: Record<string, unknown>
  /** Why the board was lost the last time. */
  lost?: FaultJson
}

export interface Granted {
  device: string
  grant: number
}

export type PowerAction = 'on' | 'off' | 'cycle' | 'reset' | 'shutdown'

/** Requests and notifications between a session and what attaches to it: JSON-RPC 2.0 over a unix socket. */
export const protocol = {
  acquire: new RequestType<AcquireParams, Outcome, FaultJson>('acquire'),
  /** The test is over: its grant ends. Takes the shells it leaves behind; answers with the length of the recording. */
  release: new RequestType<Granted & { failed: boolean; shells: Shells }, number, FaultJson>('release'),
  /** Bytes for the console, base64. */
  write: new RequestType<Granted & { data: string }, void, FaultJson>('write'),
  power: new RequestType<Granted & { action: PowerAction; timeout: number }, void, FaultJson>('power'),
  /** Saves the device as it is, with the shells that are left on it. */
  checkpoint: new RequestType<Granted & { name: string; shells: Shells }, void, FaultJson>('checkpoint'),
  /** Goes back to a checkpoint of this test or an earlier one; answers with the shells that are there. */
  rewind: new RequestType<Granted & { name: string }, Shells, FaultJson>('rewind'),
  /** The device is in the last of `states`: other tests can start from it. Never fails: they prepare it anew then. */
  reached: new RequestType<Granted & { states: readonly string[]; shells: Shells }, void, FaultJson>(
    'reached',
  ),
  /** The last of `states` could not be prepared: tests that need it miss. */
  unreachable: new RequestType<
    Granted & { states: readonly string[]; fault: FaultJson; test: string },
    void,
    FaultJson
  >('unreachable'),
  state: new RequestType<Granted, DeviceFacts, FaultJson>('state'),
  /** Powers everything off, closes the recordings and ends the session; answered when that is done. */
  finish: new RequestType0<void, FaultJson>('finish'),
  /** The recording has grown or its console changed; `ended`: why there is no console now. */
  grown: new NotificationType<{ device: string; length: number; ended?: string }>('grown'),
  /** How the device gets on that this client waits for. */
  progress: new NotificationType<{ text: string }>('progress'),
} as const
