import type { Duplex } from 'node:stream'
import type pg from 'pg'

/** The part of the driver's connection that a query of our own needs. */
export interface DriverConnection {
  readonly stream: Duplex
  query(text: string): void
  sendCopyFail(reason: string): void
}

const COPY_DONE = Uint8Array.of(0x63, 0, 0, 0, 4)

/**
 * A `COPY … FROM STDIN` as the driver wants its queries: an object with a method for every message the server may send.
 * The source is read no faster than the socket takes it, and no further once the server has refused.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
export function copyInQuery(
  text: string,
  source: AsyncIterable<Uint8Array>,
  outcome: { resolve(rowCount: number): void; reject(error: unknown): void },
): pg.Submittable {
  let settled = false
  let rowCount = 0
  /** What the source threw; then the server is told, and its error about that is ours, not news. */
  let sourceFailure: { readonly error: unknown } | null = null

  const send = async (connection: DriverConnection) => {
    try {
      for await (const bytes of source) {
        if (settled) return
        if (bytes.length > 0) await sendCopyData(connection.stream, bytes)
      }
      if (!settled) connection.stream.write(COPY_DONE)
    } catch (error) {
      if (settled) return
      sourceFailure = { error }
      connection.sendCopyFail('the rows could not be read')
    }
  }
  const query = {
    submit: (connection: DriverConnection) => connection.query(text),
    handleCopyInResponse: (connection: DriverConnection) => void send(connection),
    handleCommandComplete: (message: { readonly text: string }) => {
      rowCount = Number(message.text.split(' ')[1] ?? 0)
    },
    handleReadyForQuery: () => {
      settled = true
      outcome.resolve(rowCount)
    },
    handleError: (error: unknown) => {
      settled = true
      outcome.reject(sourceFailure === null ? error : sourceFailure.error)
    },
  }
  return query as unknown as pg.Submittable
}

/** Write one CopyData message; resolves when the socket has room again, or is gone. */
function sendCopyData(stream: Duplex, bytes: Uint8Array): Promise<void> | undefined {
  const head = Buffer.allocUnsafe(5)
  head[0] = 0x64
  head.writeUInt32BE(bytes.length + 4, 1)
  stream.cork()
  stream.write(head)
  const roomLeft = stream.write(bytes)
  stream.uncork()
  if (roomLeft || stream.destroyed) return undefined
  return new Promise((resolve) => {
    const done = () => {
      stream.off('drain', done)
      stream.off('close', done)
      resolve()
    }
    stream.on('drain', done)
    stream.on('close', done)
  })
}
