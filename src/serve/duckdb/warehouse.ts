// A DuckDB file as a warehouse: the embedded default.
//
// In:   CSV files of some days or keys. Out: tables and views in one file, changed in one transaction with the cursor. Survives a crash: everything
//       committed. The file is held only while it is used, so that any DuckDB may read it in between.

import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ColumnType } from '../../model/column.ts'
import { messageOf, PlatformError } from '../../model/errors.ts'
import { SinkFailedError, SinkUnavailableError } from '../errors.ts'
import { quoted, type Warehouse } from '../warehouse.ts'
import {
  applySql,
  createCursorsSql,
  createTableSql,
  cursorSql,
  moveCursorSql,
  schemasOf,
  type WarehouseDialect,
} from '../warehouse-sql.ts'

export interface DuckdbWarehouseOptions {
  readonly file: string
  /** Default 512 MB: a load is CSV in, rows out, beside engines that have their own memory. */
  readonly memoryMb?: number
}

const typeOf = (type: ColumnType): string => {
  if (typeof type !== 'string')
    return type.kind === 'decimal' ? `DECIMAL(${type.precision},${type.scale})` : 'JSON'
  const names: Partial<Record<string, string>> = {
    ...{ int8: 'TINYINT', int16: 'SMALLINT', int32: 'INTEGER', int64: 'BIGINT', string: 'VARCHAR' },
    ...{ float32: 'FLOAT', float64: 'DOUBLE', timestamp: 'TIMESTAMPTZ', binary: 'BLOB' },
  }
  return names[type] ?? type.toUpperCase()
}

const DIALECT: WarehouseDialect = {
  type: typeOf,
  value: (text, type) => `CAST(${text} AS ${typeOf(type)})`,
}

export function duckdbWarehouse({ file, memoryMb = 512 }: DuckdbWarehouseOptions): Warehouse {
  const during = async <T>(
    what: string,
    work: (to: DuckDBConnection) => Promise<T>,
  ): Promise<T> => {
    mkdirSync(path.dirname(file), { recursive: true })
    const instance = await DuckDBInstance.create(file, {
      ...{ memory_limit: `${memoryMb}MB`, threads: '2' },
      ...{ autoinstall_known_extensions: 'false', autoload_known_extensions: 'false' },
    }).catch((cause) => {
      throw new SinkUnavailableError(
        `Could not open the warehouse ${file}: ${messageOf(cause)}. Close what else has it open; a later run loads what is missing.`,
        { cause },
      )
    })
    try {
      const connection = await instance.connect()
      try {
        await connection.run(`SET TimeZone = 'UTC'`)
        return await work(connection)
      } catch (cause) {
        if (cause instanceof PlatformError) throw cause
        throw new SinkFailedError(`Could not ${what} in ${file}: ${messageOf(cause)}`, { cause })
      } finally {
        connection.closeSync()
      }
    } finally {
      instance.closeSync()
    }
  }
  return Object.freeze<Warehouse>({
    name: file,
    open: (tables, views) =>
      during('make tables', async (to) => {
        for (const schema of schemasOf([...tables, ...views].map(({ name }) => name)))
          await to.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
        for (const table of tables) await to.run(createTableSql(table, DIALECT))
        await to.run(createCursorsSql('VARCHAR', 'BIGINT'))
        for (const { name, sql } of views) await to.run(`CREATE OR REPLACE VIEW ${name} AS ${sql}`)
      }),
    cursor: (consumer) =>
      during(`read the cursor of ${consumer}`, async (to) => {
        const rows = (await to.runAndReadAll(cursorSql(consumer, 'VARCHAR'))).getRows()
        const [row] = rows
        return row === undefined ? undefined : { version: Number(row[0]), day: String(row[1]) }
      }),
    load: (consumer, loads, cursor) =>
      during('load', async (to) => {
        await to.run('BEGIN')
        for (const load of loads) {
          const columns = load.table.columns.map(({ name }) => `${quoted(name)}: 'VARCHAR'`)
          const staged = `(SELECT * FROM read_csv(${quoted(load.file)}, header = true, allow_quoted_nulls = false, columns = {${columns.join(', ')}}))`
          for (const sql of applySql(load, staged, DIALECT)) await to.run(sql)
        }
        for (const sql of moveCursorSql(consumer, cursor)) await to.run(sql)
        await to.run('COMMIT')
      }),
    close: async () => {},
  })
}
