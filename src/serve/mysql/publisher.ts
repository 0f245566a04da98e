import { SinkFailedError } from '../errors.ts'
import {
  type NewServingTable,
  type ReadTable,
  type ServedRows,
  type TablePublisher,
  type TableVersion,
  versionOfNote,
} from '../table-publisher.ts'
import { connectMysql, type MysqlConnection } from './client.ts'
import { INSERT_BYTES_MAX, INSERT_ROW_COUNT, type MysqlConfig } from './config.ts'
import { createTable, insertRows, newName, oldName, quoteName, swapTables } from './encode.ts'
import { columnTypeOf, mysqlValue } from './type-mapping.ts'

/** Whole tables on a MySQL or MariaDB server. Connects when it is first asked; one statement at a time. */
export function mysqlPublisher(config: MysqlConfig): TablePublisher {
  const connected = async <T>(
    signal: AbortSignal | undefined,
    work: (connection: MysqlConnection) => Promise<T>,
  ): Promise<T> => {
    const connection = await connectMysql(config, signal)
    try {
      return await work(connection)
    } finally {
      await connection.close()
    }
  }
  return {
    name: 'mysql',
    published: (table, signal) =>
      connected(signal, (connection) => publishedVersion(connection, config.database, table)),
    count: (table, signal) => connected(signal, (connection) => countRows(connection, table)),
    replace: (table, rows, signal) =>
      connected(signal, (connection) => replaceTable(connection, config.database, table, rows)),
    read: (table, rowCountMax, signal) =>
      connected(signal, (connection) => readTable(connection, table, rowCountMax)),
    close: async () => {},
  }
}

async function publishedVersion(
  connection: MysqlConnection,
  database: string,
  table: string,
): Promise<TableVersion | undefined> {
  const [row] = await connection.run(
    'SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, table],
  )
  return versionOfNote(row?.[0] as string | undefined)
}

async function countRows(connection: MysqlConnection, table: string): Promise<number> {
  const [[count] = []] = await connection.run(`SELECT COUNT(*) FROM ${quoteName(table)}`)
  return Number(count)
}

async function hasTable(connection: MysqlConnection, database: string, table: string) {
  const rows = await connection.run(
    'SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?',
    [database, table],
  )
  return rows.length > 0
}

const LOCK_WAIT_SECONDS = 60

async function replaceTable(
  connection: MysqlConnection,
  database: string,
  wanted: NewServingTable,
  rows: ServedRows,
): Promise<void> {
  const { table } = wanted
  // Two platforms that publish one table take turns; the lock goes with the connection.
  const [[got] = []] = await connection.run('SELECT GET_LOCK(?, ?)', [
    `mekong/${database}/${table}`.slice(0, 64),
    LOCK_WAIT_SECONDS,
  ])
  if (String(got) !== '1')
    throw new SinkFailedError(`Somebody else is publishing ${table}. Nothing was changed.`)
  // What a killed run left: a half-filled table that nobody saw, or the one it had replaced.
  await connection.run(
    `DROP TABLE IF EXISTS ${quoteName(newName(table))}, ${quoteName(oldName(table))}`,
  )
  await connection.run(createTable(wanted, exactCollation(connection.serverVersion)))
  await fill(connection, wanted, rows)
  const count = await countRows(connection, newName(table))
  if (count !== rows.count)
    throw new SinkFailedError(
      `${table} was to hold ${rows.count} rows and got ${count}. Readers see it as it was.`,
    )
  await connection.run(swapTables(table, await hasTable(connection, database, table)))
  await connection.run(`DROP TABLE IF EXISTS ${quoteName(oldName(table))}`)
}

/** Tells texts apart that differ in case, accents or trailing spaces. The two servers have different names for it. */
const exactCollation = (version: string) =>
  /mariadb/i.test(version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'

async function fill(
  connection: MysqlConnection,
  wanted: NewServingTable,
  rows: ServedRows,
): Promise<void> {
  const { columns } = wanted
  const insert = insertRows(wanted)
  let gathered: unknown[][] = []
  let bytes = 0
  const send = async () => {
    if (gathered.length > 0) await connection.run(insert, [gathered])
    gathered = []
    bytes = 0
  }
  for await (const chunk of rows.chunks()) {
    for (const row of chunk) {
      const values = row.map((value, index) => mysqlValue(value, columns[index]!.type))
      gathered.push(values)
      for (const value of values) bytes += typeof value === 'string' ? value.length * 2 + 4 : 12
      if (gathered.length >= INSERT_ROW_COUNT || bytes >= INSERT_BYTES_MAX) await send()
    }
  }
  await send()
}

async function readTable(
  connection: MysqlConnection,
  table: string,
  rowCountMax: number,
): Promise<ReadTable> {
  const { fields, rows } = await connection.read(
    `SELECT * FROM ${quoteName(table)} LIMIT ${rowCountMax + 1}`,
  )
  const columns = fields.map(({ name, type }) => ({
    name,
    type: columnTypeOf(type),
    nullable: true,
  }))
  return { columns, rows: rows.slice(0, rowCountMax), truncated: rows.length > rowCountMax }
}
