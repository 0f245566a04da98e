import { createClient } from '@clickhouse/client'
import type { ClickHouseServerConfig } from './config.ts'
import { serverError } from './errors.ts'

/** The little that we need of ClickHouse, wherever it runs. */
export interface ClickHouseConnection {
  /** Run a statement that returns nothing. @throws SinkUnavailableError, SinkConfigError, SinkFailedError */
  command(sql: string, signal?: AbortSignal): Promise<void>
  /** Append rows, as one JSON object a line; returns after the server has them. */
  insert(table: string, lines: string, signal?: AbortSignal): Promise<void>
  /** Rows of a SELECT without FORMAT, one JSON object a line. */
  query(sql: string, signal?: AbortSignal): AsyncIterable<Record<string, unknown>>
  close(): Promise<void>
}

/** Of every insert: what a row leaves out is the column's default. */
export const INSERT_SETTINGS = Object.freeze({
  input_format_null_as_default: 1,
  input_format_defaults_for_omitted_fields: 1,
  date_time_input_format: 'best_effort',
})

/** Of every query: whole numbers are numbers, tuples are objects. */
export const QUERY_SETTINGS = Object.freeze({
  output_format_json_quote_64bit_integers: 0,
  output_format_json_named_tuples_as_objects: 1,
  output_format_json_quote_denormals: 1,
})

/** A ClickHouse server over HTTP. Connects with the first statement. */
export function clickhouseServer(config: ClickHouseServerConfig): ClickHouseConnection {
  const client = createClient({
    url: config.url,
    username: config.user,
    ...(config.password === null ? {} : { password: config.password.reveal() }),
    request_timeout: config.requestTimeoutMs,
    // What goes wrong is thrown; the library need not print it as well.
    log: { level: 'OFF' as never },
  })
  const attempt = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw serverError(error, `${what} ClickHouse at ${config.url}`)
    }
  }
  const abort = (signal?: AbortSignal) => (signal === undefined ? {} : { abort_signal: signal })
  return {
    command: (query, signal) =>
      attempt('Asking', async () => void (await client.command({ query, ...abort(signal) }))),
    insert: (table, lines, signal) =>
      attempt(`Writing to ${table} of`, async () => {
        const settings = Object.entries(INSERT_SETTINGS)
          .map(([name, value]) => `${name} = ${typeof value === 'string' ? `'${value}'` : value}`)
          .join(', ')
        const query = `INSERT INTO ${table} SETTINGS ${settings} FORMAT JSONEachRow\n${lines}`
        await client.command({ query, ...abort(signal) })
      }),
    async *query(query, signal) {
      const result = await attempt('Asking', () =>
        client.query({
          query,
          format: 'JSONEachRow',
          clickhouse_settings: QUERY_SETTINGS as never,
          ...abort(signal),
        }),
      )
      try {
        for await (const rows of result.stream<Record<string, unknown>>())
          for (const row of rows) yield row.json()
      } catch (error) {
        throw serverError(error, `Reading from ClickHouse at ${config.url}`)
      }
    },
    close: () => client.close(),
  }
}
