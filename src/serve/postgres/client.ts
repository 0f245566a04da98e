import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { SinkUnavailableError } from '../errors.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { type CopyBoth, copyBothQuery } from './copy-both.ts'
import { copyInQuery, type DriverConnection } from './copy-in.ts'
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
  /**
   * Run a START_REPLICATION. `onData` gets the server's messages, `onEnd` is told once why there are no more: an error of the server or the
   * network, or nothing when the server ended it. Rejects when it does not begin. Throws as `run`.
   */
  copyBoth(
    text: string,
    onData: (bytes: Buffer) => void,
    onEnd: (error: unknown) => void,
  ): Promise<CopyBoth>
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
export function connect(config: PostgresConfig, signal?: AbortSignal): Promise<PostgresConnection> {
  return opened(new DriverBackedConnection(config), config, signal)
}

/** Connect for commands of replication, which such a connection takes beside SQL. Throws as `connect`. */
export function connectForReplication(
  config: PostgresConfig,
  signal?: AbortSignal,
): Promise<PostgresConnection> {
  return opened(new DriverBackedConnection(config, { replication: 'database' }), config, signal)
}

async function opened(
  connection: DriverBackedConnection,
  config: PostgresConfig,
  signal?: AbortSignal,
): Promise<PostgresConnection> {
  signal?.throwIfAborted()
  const aborted = () => connection.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    await connection.open()
    return connection
  } catch (error) {
    connection.destroy()
    signal?.throwIfAborted()
    throw connectionError(`connect to ${postgresName(config)}`, error)
  } finally {
    signal?.removeEventListener('abort', aborted)
  }
}

class DriverBackedConnection implements PostgresConnection {
  readonly #name: string
  readonly #client: pg.Client
  readonly #silenceMs: number
  #lost: { readonly cause: unknown } | null = null

  /** `replication` is an option of the driver that its types do not know. */
  constructor(config: PostgresConfig, more: { readonly replication?: 'database' } = {}) {
    this.#name = postgresName(config)
    this.#silenceMs = Math.min(config.statementTimeoutMs + SILENCE_MARGIN_MS, TIMER_MS_MAX)
    this.#client = new pg.Client({
      ...more,
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
    this.#client.on('error', (error) => this.#lose(error))
    this.#client.on('end', () => this.#lose(new Error('the connection was closed')))
  }

  get lost(): boolean {
    return this.#lost !== null
  }

  async open(): Promise<void> {
    await this.#client.connect()
  }

  async run(text: string, values?: readonly unknown[]): Promise<StatementAnswer> {
    const answer = await this.#answered(() =>
      this.#client.query<TextCell[]>({
        text,
        rowMode: 'array',
        // The extended protocol takes one statement only. Left to itself the driver would use the simple one for no values.
        ...(values === undefined ? {} : { values: [...values], queryMode: 'extended' as const }),
      }),
    )
    // Of several statements the driver gives several answers, which its types do not know.
    const last: pg.QueryArrayResult<TextCell[]> = Array.isArray(answer) ? answer.at(-1) : answer
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
  }

  async copyIn(text: string, source: AsyncIterable<Uint8Array>): Promise<number> {
    return await this.#answered(
      () =>
        new Promise<number>((resolve, reject) => {
          this.#client.query(copyInQuery(text, source, { resolve, reject }))
        }),
    )
  }

  async copyBoth(
    text: string,
    onData: (bytes: Buffer) => void,
    onEnd: (error: unknown) => void,
  ): Promise<CopyBoth> {
    return await this.#answered(
      () =>
        new Promise<CopyBoth>((resolve, reject) => {
          const ended = (error: unknown) => {
            reject(error ?? new Error('the server did not begin'))
            onEnd(error)
          }
          this.#client.query(copyBothQuery(text, { started: resolve, data: onData, ended }))
        }),
    )
  }

  async close(): Promise<void> {
    if (this.lost) return
    const waited = sleep(CLOSE_WAIT_MS, null, { ref: false })
    await Promise.race([this.#client.end().catch(() => {}), waited])
    this.destroy()
  }

  destroy(): void {
    this.#lose(new Error('the connection was cut by us'))
    this.#stream.destroy()
  }

  get #stream(): Duplex {
    return (this.#client as unknown as { connection: DriverConnection }).connection.stream
  }

  /** Remember the first reason; what follows is its echo. */
  #lose(cause: unknown): void {
    this.#lost ??= { cause }
  }

  #assertConnected(): void {
    if (this.#lost === null) return
    const { cause } = this.#lost
    throw new SinkUnavailableError(`The connection to ${this.#name} is lost; open a new one.`, {
      cause,
    })
  }

  /** Wait for an answer, but not for ever, and call a lost connection by its name. */
  async #answered<T>(ask: () => Promise<T>): Promise<T> {
    this.#assertConnected()
    const timer = setTimeout(() => {
      this.#lose(new Error(`no answer for ${this.#silenceMs} ms`))
      this.#stream.destroy()
    }, this.#silenceMs)
    try {
      return await ask()
    } catch (error) {
      // What the source of a COPY threw is neither the server's nor the network's; it passes as it is.
      if (this.#lost === null || isServerError(error)) throw error
      throw connectionError(`finish a statement on ${this.#name}`, this.#lost.cause)
    } finally {
      clearTimeout(timer)
    }
  }
}

function tlsOptions(config: PostgresConfig): false | { rejectUnauthorized: boolean; ca?: string } {
  if (config.sslMode === 'disable') return false
  return {
    rejectUnauthorized: config.sslMode === 'verify-full',
    ...(config.sslRootCertificate === null ? {} : { ca: config.sslRootCertificate }),
  }
}
