import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { SinkUnavailableError } from '../errors.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { connectionError, isServerError } from './errors.ts'

/** A cell as the server spells it in text format, or null. */
export type TextCell = string | null

export interface StatementAnswer {
  /** Of the last statement in the text: `INSERT`, `COMMIT`, … */
  readonly command: string
  /** Rows written or returned by it. */
  readonly rowCount: number
  readonly fields: readonly {
    readonly name: string
    readonly typeOid: number
    readonly typeModifier: number
  }[]
  readonly rows: readonly (readonly TextCell[])[]
}

/**
 * One connection that speaks PostgreSQL's protocol. Calls are answered in the order they are made. After the
 * connection is lost, every call throws `SinkUnavailableError`; a new one must be opened.
 */
export interface PostgresConnection {
  readonly lost: boolean
  /**
   * Run SQL. With `values`, also with an empty list, the text holds exactly one statement; without, it may hold several, and the
   * last one's answer comes back.
   * @throws the driver's error with its SQLSTATE, SinkUnavailableError when the connection is lost
   */
  run(text: string, values?: readonly unknown[]): Promise<StatementAnswer>
  /** Run a `COPY … FROM STDIN` and send it `source`. Returns how many rows the server took. Throws as `run`. */
  copyIn(text: string, source: AsyncIterable<Uint8Array>): Promise<number>
  /** Say goodbye and close. Never throws. */
  close(): Promise<void>
  /** Cut the connection; what runs on it fails, and the server rolls back. */
  destroy(): void
}

/** Beyond what the server allows a statement, before we stop believing that the server is there. */
const SILENCE_MARGIN_MS = 15_000
const CLOSE_WAIT_MS = 2_000
/** A longer timer would fire at once. */
const TIMER_MS_MAX = 2 ** 31 - 1

/** Connect. @throws SinkUnavailableError, SinkConfigError (password, database, certificate) */
export async function connect(
  config: PostgresConfig,
  signal?: AbortSignal,
): Promise<PostgresConnection> {
  signal?.throwIfAborted()
  const name = postgresName(config)
  const client = new pg.Client({
    host: config.host,
    port: config.port,
    database: config.database,
    user: config.user,
    ...(config.password === null ? {} : { password: config.password.reveal() }),
    ssl: tlsOptions(config),
    application_name: config.applicationName,
    connectionTimeoutMillis: config.connectTimeoutMs,
    keepAlive: true,
    // Text as it came: this room converts by column type and must not lose a microsecond or a digit on the way.
    types: { getTypeParser: () => (text: string) => text },
  })
  let lost: { readonly cause: unknown } | null = null
  client.on('error', (error) => {
    lost ??= { cause: error }
  })
  client.on('end', () => {
    lost ??= { cause: new Error('the connection was closed') }
  })
  const destroy = () => {
    lost ??= { cause: new Error('the connection was cut by us') }
    streamOf(client).destroy()
  }
  const aborted = () => destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    await client.connect()
  } catch (error) {
    destroy()
    signal?.throwIfAborted()
    throw connectionError(`connect to ${name}`, error)
  } finally {
    signal?.removeEventListener('abort', aborted)
  }

  /** Wait for an answer, but not for ever, and call a lost connection by its name. */
  const answered = async <T>(answer: Promise<T>, silenceMs: number): Promise<T> => {
    const timer = setTimeout(() => {
      lost ??= { cause: new Error(`no answer for ${silenceMs} ms`) }
      streamOf(client).destroy(new Error(`no answer for ${silenceMs} ms`))
    }, silenceMs)
    try {
      return await answer
    } catch (error) {
      // What the source of a COPY threw is neither the server's nor the network's; it passes as it is.
      if (lost === null || isServerError(error)) throw error
      throw connectionError(`finish a statement on ${name}`, lost.cause)
    } finally {
      clearTimeout(timer)
    }
  }
  const silenceMs = Math.min(config.statementTimeoutMs + SILENCE_MARGIN_MS, TIMER_MS_MAX)
  const assertConnected = () => {
    if (lost !== null)
      throw new SinkUnavailableError(`The connection to ${name} is lost; open a new one.`, lost)
  }

  return {
    get lost() {
      return lost !== null
    },
    async run(text, values) {
      assertConnected()
      const answer = await answered(
        client.query({
          text,
          rowMode: 'array',
          // The extended protocol takes one statement only. Left to itself the driver would use the simple one for no values.
          ...(values === undefined ? {} : { values: [...values], queryMode: 'extended' as const }),
        }),
        silenceMs,
      )
      const last = (Array.isArray(answer) ? answer.at(-1) : answer) as pg.QueryArrayResult<
        TextCell[]
      >
      return {
        command: last.command,
        rowCount: last.rowCount ?? 0,
        fields: last.fields.map((field) => ({
          name: field.name,
          typeOid: field.dataTypeID,
          typeModifier: field.dataTypeModifier,
        })),
        rows: last.rows,
      }
    },
    async copyIn(text, source) {
      assertConnected()
      return await answered(
        new Promise<number>((resolve, reject) => {
          client.query(copyInQuery(text, source, { resolve, reject }))
        }),
        silenceMs,
      )
    },
    async close() {
      if (lost !== null) return
      await Promise.race([client.end().catch(() => {}), sleep(CLOSE_WAIT_MS, null, { ref: false })])
      destroy()
    },
    destroy,
  }
}

function tlsOptions(config: PostgresConfig): false | { rejectUnauthorized: boolean; ca?: string } {
  if (config.sslMode === 'disable') return false
  return {
    rejectUnauthorized: config.sslMode === 'verify-full',
    ...(config.sslRootCertificate === null ? {} : { ca: config.sslRootCertificate }),
  }
}

/** The part of the driver's connection that a query of our own needs. */
interface DriverConnection {
  readonly stream: Duplex
  query(text: string): void
  sendCopyFail(reason: string): void
}

function streamOf(client: pg.Client): Duplex {
  return (client as unknown as { connection: DriverConnection }).connection.stream
}

const COPY_DONE = Uint8Array.of(0x63, 0, 0, 0, 4)

/**
 * A `COPY … FROM STDIN` as the driver wants its queries: an object with a method for every message the server may send.
 * The source is read no faster than the socket takes it, and no further once the server has refused.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-COPY
 */
function copyInQuery(
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
