/** Bytes in and out of a device. One reader (the recorder) for its whole life; writes are serialised by their owner. */
export interface Channel {
  /** Called for each chunk, in order. A channel buffers what comes before the first listener. */
  onData(listener: (chunk: Buffer) => void): void
  /** Called once, when the channel has ended; with the error if it did not end by `close()` or the peer's orderly end. */
  onClose(listener: (error?: Error) => void): void
  /** Resolves when the bytes are handed to the operating system. @throws Fault `channel.closed` */
  write(bytes: Uint8Array): Promise<void>
  close(): Promise<void>
}
