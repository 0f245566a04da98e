import type { Columns } from '../../model/column.ts'
import { SinkFailedError } from '../errors.ts'
import {
  type NewServingTable,
  type ServedRows,
  type TablePublisher,
  versionNote,
  versionOfNote,
} from '../table-publisher.ts'
import { connect, type PostgresConnection } from './client.ts'
import type { PostgresConfig } from './config.ts'
import { beginWrite, copyRows, quoteIdentifier, quoteTable } from './encode.ts'
import { queryPostgres } from './query.ts'
import { postgresTypeText } from './type-mapping.ts'

/** Whole tables in PostgreSQL: filled by COPY beside the old one, and put in its place in one transaction with its indexes and its version. */
export function postgresPublisher(config: PostgresConfig): TablePublisher {
  return {
    name: 'postgres',
    async published(table) {
      const { rows } = await queryPostgres(config, {
        sql: `SELECT obj_description(to_regclass($1), 'pg_class')`,
        values: [quoteTable(table)],
      })
      return versionOfNote(rows[0]?.[0] as string | null)
    },
    async count(table) {
      const { rows } = await queryPostgres(config, {
        sql: `SELECT count(*) FROM ${quoteTable(table)}`,
      })
      return Number(rows[0]![0])
    },
    async replace(table, rows, signal) {
      const connection = await connect(config, signal)
      try {
        await replaceTable(connection, config, table, rows)
      } finally {
        await connection.close()
      }
    },
    async read(table, rowCountMax) {
      const sql = `SELECT * FROM ${quoteTable(table)}`
      const { columns, rows, truncated } = await queryPostgres(config, { sql, rowCountMax })
      return { columns, rows, truncated }
    },
    close: async () => {},
  }
}

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

async function replaceTable(
  connection: PostgresConnection,
  config: PostgresConfig,
  wanted: NewServingTable,
  rows: ServedRows,
): Promise<void> {
  const { table, columns, key, indexes, source } = wanted
  const incoming = `${table}__new`
  const list = (names: readonly string[]) => names.map(quoteIdentifier).join(', ')
  await connection.run(`DROP TABLE IF EXISTS ${quoteTable(incoming)}`)
  await connection.run(`CREATE TABLE ${quoteTable(incoming)} (${columnsSql(columns, key)})`)
  const copied = await connection.copyIn(copyRows(incoming, columns), rows.csv())
  if (copied !== rows.count)
    throw new SinkFailedError(
      `${table} was to hold ${rows.count} rows and got ${copied}. Readers see it as it was.`,
    )
  const swap = [
    beginWrite(config),
    `ALTER TABLE ${quoteTable(incoming)} ADD PRIMARY KEY (${list(key)})`,
    ...indexes.map((names) => `CREATE INDEX ON ${quoteTable(incoming)} (${list(names)})`),
    `DROP TABLE IF EXISTS ${quoteTable(table)}`,
    `ALTER TABLE ${quoteTable(incoming)} RENAME TO ${quoteIdentifier(table)}`,
    `COMMENT ON TABLE ${quoteTable(table)} IS ${literal(versionNote(source))}`,
    'COMMIT',
  ]
  try {
    await connection.run(swap.join('; '))
  } catch (error) {
    await connection.run('ROLLBACK').catch(() => {})
    throw error
  }
}

const columnsSql = (columns: Columns, key: readonly string[]) =>
  columns
    .map(
      ({ name, type }) =>
        `${quoteIdentifier(name)} ${postgresTypeText(type)}${key.includes(name) ? ' NOT NULL' : ''}`,
    )
    .join(', ')
