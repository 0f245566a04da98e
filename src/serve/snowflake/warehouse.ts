// Snowflake as a warehouse.
//
// In:   CSV files of some days or keys. Out: each file on a temporary stage, from there by COPY INTO a temporary table of texts, and from these in one
//       transaction, with the cursor, into the tables: days replaced, keys merged. Survives a crash: everything committed; stages and temporary
//       tables end with the session.

import { randomUUID } from 'node:crypto'
import path from 'node:path'
import { quoted, type TableLoad, type Warehouse } from '../warehouse.ts'
import {
  applySql,
  createCursorsSql,
  createTableSql,
  cursorSql,
  moveCursorSql,
  schemasOf,
  stagedColumnsSql,
} from '../warehouse-sql.ts'
import { connectSnowflake, type SnowflakeSession } from './client.ts'
import { type SnowflakeConfig, snowflakeName } from './config.ts'
import { SNOWFLAKE_DIALECT } from './type-mapping.ts'

/** In the session's schema; temporary things are named without one. */
const STAGE = 'arriving'

export function snowflakeWarehouse(config: SnowflakeConfig): Warehouse {
  const during = async <T>(work: (session: SnowflakeSession) => Promise<T>): Promise<T> => {
    const session = await connectSnowflake(config)
    try {
      return await work(session)
    } finally {
      await session.close()
    }
  }
  return Object.freeze<Warehouse>({
    name: snowflakeName(config),
    open: (tables, views) =>
      during(async (session) => {
        await session.run(`CREATE DATABASE IF NOT EXISTS ${config.database}`)
        await session.run(`USE DATABASE ${config.database}`)
        for (const schema of schemasOf([...tables, ...views].map(({ name }) => name)))
          await session.run(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
        for (const table of tables) await session.run(createTableSql(table, SNOWFLAKE_DIALECT))
        await session.run(createCursorsSql('VARCHAR', 'NUMBER(38,0)'))
        for (const { name, sql } of views)
          await session.run(`CREATE OR REPLACE VIEW ${name} AS ${sql}`)
      }),
    cursor: (consumer) =>
      during(async (session) => {
        await session.run(`USE DATABASE ${config.database}`)
        const [row] = await session.run(cursorSql(consumer, 'VARCHAR'))
        if (row === undefined) return undefined
        return { version: Number(row.VERSION), day: String(row.LOADED_DAY) }
      }),
    load: (consumer, loads, cursor) =>
      during(async (session) => {
        await session.run(`USE SCHEMA ${config.database}.mekong`)
        await session.run(`CREATE TEMPORARY STAGE IF NOT EXISTS ${STAGE}`)
        const staged: string[] = []
        for (const load of loads) staged.push(await stageRows(session, load))
        await session.run('BEGIN')
        try {
          for (const [index, load] of loads.entries())
            for (const sql of applySql(load, staged[index]!, SNOWFLAKE_DIALECT))
              await session.run(sql)
          for (const sql of moveCursorSql(consumer, cursor)) await session.run(sql)
          await session.run('COMMIT')
        } catch (error) {
          await session.run('ROLLBACK').catch(() => {})
          throw error
        }
      }),
    close: async () => {},
  })
}

/** The file's cells in a temporary table, all of them texts. Returns its name. */
async function stageRows(
  session: SnowflakeSession,
  { table, file, rowCount }: TableLoad,
): Promise<string> {
  const name = `arriving_${table.name.replace('.', '_')}`
  await session.run(
    `CREATE OR REPLACE TEMPORARY TABLE ${name} (${stagedColumnsSql(table, 'VARCHAR')})`,
  )
  if (rowCount === 0) return name
  // A folder of its own, whatever else lies on the stage.
  const folder = randomUUID()
  const local = quoted(`file://${file.split(path.sep).join('/')}`)
  await session.run(`PUT ${local} @${STAGE}/${folder} AUTO_COMPRESS = FALSE OVERWRITE = TRUE`)
  await session.run(
    `COPY INTO ${name} FROM @${STAGE}/${folder} FILE_FORMAT = (TYPE = CSV SKIP_HEADER = 1 ` +
      `FIELD_OPTIONALLY_ENCLOSED_BY = '"' EMPTY_FIELD_AS_NULL = TRUE) ON_ERROR = ABORT_STATEMENT`,
  )
  return name
}
