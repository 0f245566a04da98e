import type { Columns } from '../../../src/model/column.ts'
import { type PostgresConfig, postgresConfig } from '../../../src/serve/postgres/config.ts'
import { quoteIdentifier } from '../../../src/serve/postgres/encode.ts'
import { queryPostgres } from '../../../src/serve/postgres/query.ts'
import { postgresSink } from '../../../src/serve/postgres/sink.ts'
import { postgresTypeText } from '../../../src/serve/postgres/type-mapping.ts'
import type { SinkStore, TargetOptions } from '../../conformance/sink-store.ts'

/** A PostgreSQL server for the conformance suite; `mark` keeps the tables of one run apart from another's. */
export function postgresStore(config: PostgresConfig, stop: () => Promise<void>): SinkStore {
  const mark = `t${Date.now().toString(36)}${Math.floor(Math.random() * 1e6).toString(36)}`
  let count = 0
  return {
    port: config.port,
    commitBytes: Buffer.from('COMMIT\0'),
    stop,
    async newTarget(options) {
      count += 1
      const table = `${mark}.table_${count}`
      const migrations = [
        { name: '001_schema.sql', sql: `CREATE SCHEMA IF NOT EXISTS ${mark};` },
        { name: '002_table.sql', sql: tableSql(table, options) },
      ]
      const { columns } = options
      const through = (port: number) => postgresConfig({ ...config, port })
      return {
        sink: (port) => postgresSink(through(port), { table, columns, migrations }),
        sinkExpecting: (port, other: Columns) =>
          postgresSink(through(port), { table, columns: other, migrations }),
        async rows() {
          const names = columns.map((column) => quoteIdentifier(column.name)).join(', ')
          const order = columns.length === 1 ? '1' : '1, 2'
          const sql = `SELECT ${names} FROM ${table} ORDER BY ${order}`
          return (await queryPostgres(config, { sql })).rows
        },
      }
    },
  }
}

function tableSql(table: string, { columns, lengthMax = {}, unique }: TargetOptions): string {
  const lines = columns.map(({ name, type, nullable }) => {
    const length = lengthMax[name]
    const typeText = length === undefined ? postgresTypeText(type) : `varchar(${length})`
    return `${quoteIdentifier(name)} ${typeText}${nullable ? '' : ' NOT NULL'}`
  })
  if (unique !== undefined) lines.push(`UNIQUE (${quoteIdentifier(unique)})`)
  return `CREATE TABLE ${table} (\n  ${lines.join(',\n  ')}\n);`
}
