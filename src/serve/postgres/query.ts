import type { Columns } from '../../model/column.ts'
import { SinkConfigError } from '../errors.ts'
import { connect } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { beginRead, quoteTable } from './encode.ts'
import { isServerError, sinkError } from './errors.ts'
import { cellValue, columnTypeOfOid } from './type-mapping.ts'

export interface PostgresQuery {
  /** One statement that reads. */
  readonly sql: string
  readonly values?: readonly unknown[]
  /** Rows past this are not fetched. Default 10,000. */
  readonly rowCountMax?: number
}

export interface PostgresAnswer {
  readonly columns: Columns
  /** Values as in `RowSet.chunks`: `bigint` for int64 and times (UTC µs), text for decimals and dates. */
  readonly rows: readonly (readonly unknown[])[]
  /** Whether there were more rows than `rowCountMax`. */
  readonly truncated: boolean
}

/** As many as a person may scroll through; more is an export's work. */
const ROW_COUNT_MAX_DEFAULT = 10_000

/** https://www.postgresql.org/docs/current/errcodes-appendix.html: `read_only_sql_transaction` */
const READ_ONLY = '25006'

/**
 * Ask a question on a connection of its own, in a read-only transaction that ends with a rollback.
 * @throws SinkConfigError for what is wrong with the SQL, SinkUnavailableError
 */
export async function queryPostgres(
  config: PostgresConfig,
  { sql, values = [], rowCountMax = ROW_COUNT_MAX_DEFAULT }: PostgresQuery,
  signal?: AbortSignal,
): Promise<PostgresAnswer> {
  const connection = await connect(config, signal)
  const aborted = () => connection.destroy()
  signal?.addEventListener('abort', aborted, { once: true })
  try {
    await connection.run(beginRead(config))
    const bare = sql.trim().replace(/;\s*$/, '')
    // A cursor stops the server after what we want; only queries can have one, EXPLAIN and SHOW are short anyway.
    const isQuery = /^(select|with|values|table)\b/i.test(bare)
    if (isQuery) await connection.run(`DECLARE answer NO SCROLL CURSOR FOR ${bare}`, values)
    // With values the protocol takes one statement only, so the text cannot smuggle in a COMMIT and more.
    const answer = isQuery
      ? await connection.run(`FETCH FORWARD ${rowCountMax + 1} FROM answer`)
      : await connection.run(bare, values)
    const columns = answer.fields.map(({ name, typeOid, typeModifier }) => ({
      name,
      type: columnTypeOfOid(typeOid, typeModifier),
      nullable: true,
    }))
    return {
      columns,
      rows: answer.rows
        .slice(0, rowCountMax)
        .map((row) => row.map((cell, index) => cellValue(cell, columns[index]!.type))),
      truncated: answer.rows.length > rowCountMax,
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (isServerError(error) && error.code === READ_ONLY)
      throw new SinkConfigError(
        `The statement would change ${postgresName(config)}: ${error.message}. Nothing was changed; questions are asked read-only. Use psql for changes.`,
        { cause: error },
      )
    throw sinkError(`answer the query in ${postgresName(config)}`, error)
  } finally {
    signal?.removeEventListener('abort', aborted)
    await connection.close()
  }
}

/** How many rows a table holds, counted. */
export async function countPostgresRows(config: PostgresConfig, table: string): Promise<number> {
  const { rows } = await queryPostgres(config, { sql: `SELECT count(*) FROM ${quoteTable(table)}` })
  return Number(rows[0]?.[0])
}
