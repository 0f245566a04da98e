import { connect, type PostgresConnection, type TextCell } from './client.ts'
import { type PostgresConfig, postgresName } from './config.ts'
import { beginRead, quoteIdentifier, quoteTable } from './encode.ts'
import { sinkError } from './errors.ts'

// Rows of a table that others change, read page by page by key, each page a statement of its own: nothing is locked and no transaction stays
// open, however large the table. What changes while the pages go by is found by the next look, because its `changedAt` is new. Of a snapshot, all
// pages are one transaction that reads.

export interface ReferenceSource {
  readonly table: string
  readonly key: string
  /** Names of the columns, the key among them. */
  readonly columns: readonly string[]
  readonly changedAt: string
}

const PAGE_ROW_COUNT = 20_000

/**
 * The rows, as the server spells their cells, each with its `changedAt` at the end; all of them, or those changed after an instant
 * (microseconds since 1970).
 * @throws SinkUnavailableError, SinkConfigError
 */
export async function* referencePages(
  config: PostgresConfig,
  { table, key, columns, changedAt }: ReferenceSource,
  {
    afterMicros,
    snapshot,
    signal,
  }: {
    readonly afterMicros?: bigint
    /** As the server has exported it. */
    readonly snapshot?: string
    readonly signal?: AbortSignal
  } = {},
): AsyncGenerator<readonly (readonly TextCell[])[]> {
  const cells = [...columns, changedAt].map(quoteIdentifier).join(', ')
  const attempt = `read ${table} in ${postgresName(config)}`
  const connection = await connect(config, signal)
  try {
    if (snapshot !== undefined) {
      await connection.run(beginRead(config))
      await connection.run(`SET TRANSACTION SNAPSHOT '${snapshot.replaceAll("'", "''")}'`)
    }
    let last: TextCell = null
    for (;;) {
      const values: unknown[] = []
      const conditions: string[] = []
      if (last !== null) conditions.push(`${quoteIdentifier(key)} > $${values.push(last)}`)
      if (afterMicros !== undefined) {
        const at = `to_timestamp(0) + ($${values.push(String(afterMicros))}::bigint * interval '1 microsecond')`
        conditions.push(`${quoteIdentifier(changedAt)} > ${at}`)
      }
      const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')} `
      const sql = `SELECT ${cells} FROM ${quoteTable(table)} ${where}ORDER BY ${quoteIdentifier(key)} LIMIT ${PAGE_ROW_COUNT}`
      const { rows } = await answered(connection, attempt, sql, values)
      if (rows.length > 0) yield rows
      if (rows.length < PAGE_ROW_COUNT) return
      last = rows.at(-1)![columns.indexOf(key)]!
    }
  } finally {
    await connection.close()
  }
}

/**
 * Put rows in place: new ones in, changed ones over the old, equal ones left alone, so that putting them again changes nothing.
 * Values as JSON holds them. Returns how many rows were written.
 */
export async function putReferenceRows(
  config: PostgresConfig,
  { table, key, columns, changedAt }: ReferenceSource,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<number> {
  const target = quoteTable(table)
  const names = columns.map(quoteIdentifier)
  const own = names.map((name) => `t.${name}`).join(', ')
  const given = names.map((name) => `excluded.${name}`).join(', ')
  const sql =
    `INSERT INTO ${target} AS t (${names.join(', ')}) ` +
    `SELECT ${names.join(', ')} FROM json_populate_recordset(NULL::${target}, $1::json) ` +
    `ON CONFLICT (${quoteIdentifier(key)}) DO UPDATE SET ${names.map((name) => `${name} = excluded.${name}`).join(', ')}, ` +
    `${quoteIdentifier(changedAt)} = clock_timestamp() WHERE (${own}) IS DISTINCT FROM (${given})`
  const connection = await connect(config)
  try {
    const attempt = `put rows into ${table} in ${postgresName(config)}`
    return (await answered(connection, attempt, sql, [JSON.stringify(rows)])).rowCount
  } finally {
    await connection.close()
  }
}

async function answered(
  connection: PostgresConnection,
  attempt: string,
  sql: string,
  values: readonly unknown[],
) {
  try {
    return await connection.run(sql, values)
  } catch (error) {
    throw sinkError(attempt, error)
  }
}
