import type pg from 'pg'
import type { DriverConnection } from './copy-in.ts'

/** What a START_REPLICATION opens: bytes from the server as messages, and ours to it. */
export interface CopyBoth {
  /** Send one message. Nothing waits for it; messages are small and rare. */
  send(bytes: Uint8Array): void
  /** Stop reading from the socket, so that the server waits; and go on. */
  pause(): void
  resume(): void
}

/** The part of the driver's connection that is needed here beside what a COPY needs. */
interface DuplexDriverConnection extends DriverConnection {
  once(event: 'replicationStart', listener: () => void): void
  sendCopyFromChunk(bytes: Uint8Array): void
}

/**
 * A command that is answered by copying both ways, as the driver wants its queries. `onData` gets each message's bytes, which are the
 * driver's own and valid only during the call.
 * https://www.postgresql.org/docs/current/protocol-replication.html
 */
export function copyBothQuery(
  text: string,
  on: {
    started(copy: CopyBoth): void
    data(bytes: Buffer): void
    /** Once: the server said that it is done, or why it cannot go on, or the connection is lost. */
    ended(error: unknown): void
  },
): pg.Submittable {
  const query = {
    submit: (connection: DuplexDriverConnection) => {
      connection.once('replicationStart', () =>
        on.started({
          send: (bytes) => connection.sendCopyFromChunk(bytes),
          pause: () => void connection.stream.pause(),
          resume: () => void connection.stream.resume(),
        }),
      )
      connection.query(text)
    },
    handleCopyData: ({ chunk }: { readonly chunk: Buffer }) => on.data(chunk),
    handleCommandComplete: () => {},
    handleReadyForQuery: () => on.ended(undefined),
    handleError: (error: unknown) => on.ended(error),
  }
  return query as unknown as pg.Submittable
}
