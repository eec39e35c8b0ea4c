import { NotificationType, RequestType, RequestType0 } from 'vscode-jsonrpc/node'
import type { BoardDeclaration } from '../board/inventory.js'
import type { FaultJson } from '../fault/fault.js'
import type { Manifest } from '../image/manifest.js'
import type { Boot, ConsoleRange, Finding, Isolation, Prepared } from '../record/record.js'

/** What a session needs to know to get a device ready. Made from the frozen plan. */
export interface DeviceRequest {
  /** Name of the project, `image@board-class`; a session has one device per project. */
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
}

export interface AcquireParams {
  request: DeviceRequest
  isolation: Isolation
  /** Id of the test that asks: the first one carries a boot failure, the others miss. */
  test: string
}

/** A session's answer; a device that did not boot is an answer too, and remembered. */
export type Outcome =
  | { kind: 'ready'; device: DeviceState }
  | { kind: 'failed'; fault: FaultJson; carrier: string; console?: ConsoleRange }

export interface DeviceState {
  project: string
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
  /** The shell that the session logged in, to be resumed. */
  shellKey?: string
  prepared: Prepared
}

/** What the session knows of a device. */
export interface DeviceFacts {
  power: 'on' | 'off'
  /** The current or last one is the last. */
  boots: Boot[]
  findings: Finding[]
  /** Why the board was lost the last time. */
  lost?: FaultJson
}

export interface Granted {
  project: string
  grant: number
}

export type PowerAction = 'on' | 'off' | 'cycle' | 'reset' | 'shutdown'

/** Requests and notifications between a session and what attaches to it: JSON-RPC 2.0 over a unix socket. */
export const protocol = {
  acquire: new RequestType<AcquireParams, Outcome, FaultJson>('acquire'),
  /** The test is over: its grant ends. Takes the shell it leaves behind; answers with the length of the recording. */
  release: new RequestType<Granted & { failed: boolean; shellKey?: string }, number, FaultJson>('release'),
  /** Bytes for the console, base64. */
  write: new RequestType<Granted & { data: string }, void, FaultJson>('write'),
  power: new RequestType<Granted & { action: PowerAction; timeout: number }, void, FaultJson>('power'),
  /** Saves the device as it is, with the shell that is left on it. */
  checkpoint: new RequestType<Granted & { name: string; shellKey?: string }, void, FaultJson>('checkpoint'),
  /** Goes back to a checkpoint of this test or an earlier one; answers with the shell that is there. */
  rewind: new RequestType<Granted & { name: string }, { shellKey: string }, FaultJson>('rewind'),
  state: new RequestType<Granted, DeviceFacts, FaultJson>('state'),
  /** Powers everything off, closes the recordings and ends the session; answered when that is done. */
  finish: new RequestType0<void, FaultJson>('finish'),
  /** The recording has grown or its console changed; `ended`: why there is no console now. */
  grown: new NotificationType<{ project: string; length: number; ended?: string }>('grown'),
  progress: new NotificationType<{ project: string; text: string }>('progress'),
} as const
