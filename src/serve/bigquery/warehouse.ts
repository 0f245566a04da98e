// BigQuery as a warehouse.
//
// In:   CSV files of some days or keys. Out: each file by a load job into a staging table of texts, and from these by one multi-statement transaction, with the
//       cursor, into the tables: days replaced, keys merged. Survives a crash: everything committed. Jobs are named by what they load and by how many loads
//       there were before, so a load that is begun again finds its jobs, and one that is made again on purpose makes new ones.
//
// https://cloud.google.com/bigquery/docs/transactions, https://cloud.google.com/bigquery/docs/running-jobs#generate-jobid

import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import {
  CURSOR_TABLE,
  quoted,
  type TableLoad,
  type Warehouse,
  type WarehouseTable,
} from '../warehouse.ts'
import { applySql, createTableSql, schemasOf } from '../warehouse-sql.ts'
import { type BigqueryProject, openBigquery, type StagingTable } from './client.ts'
import { type BigqueryConfig, bigqueryName } from './config.ts'
import { BIGQUERY_DIALECT } from './type-mapping.ts'

const STAGING_DATASET = 'mekong'

export function bigqueryWarehouse(config: BigqueryConfig): Warehouse {
  let opened: Promise<BigqueryProject> | undefined
  const project = () => {
    opened ??= openBigquery(config)
    return opened
  }
  return Object.freeze<Warehouse>({
    name: bigqueryName(config),
    async open(tables, views) {
      const to = await project()
      for (const dataset of schemasOf([...tables, ...views].map(({ name }) => name)))
        await to.query(
          `CREATE SCHEMA IF NOT EXISTS ${dataset} OPTIONS (location = ${quoted(config.location)})`,
        )
      for (const table of tables) await to.query(tableSql(table))
      await to.query(
        `CREATE TABLE IF NOT EXISTS ${CURSOR_TABLE} (consumer STRING, version INT64, loaded_day STRING, load_count INT64)`,
      )
      for (const { name, sql } of views) await to.query(`CREATE OR REPLACE VIEW ${name} AS ${sql}`)
    },
    async cursor(consumer) {
      const found = await stateOf(await project(), consumer)
      return found.cursor
    },
    async load(consumer, loads, cursor) {
      const to = await project()
      const { loadCount } = await stateOf(to, consumer)
      const digest = createHash('sha256').update(JSON.stringify([consumer, loadCount, cursor]))
      const staged: StagingTable[] = []
      for (const load of loads) {
        const table = await stage(to, load, `${consumer}/${loadCount}`)
        digest.update(table.name)
        staged.push(table)
      }
      const statements = loads.flatMap((load, index) =>
        applySql(load, `${STAGING_DATASET}.${staged[index]!.name}`, BIGQUERY_DIALECT),
      )
      // Two that run at once change the same line, and BigQuery lets one of them commit.
      const values = [quoted(consumer), cursor.version, quoted(cursor.day), loadCount + 1]
      const script = [
        'BEGIN TRANSACTION',
        ...statements,
        `DELETE FROM ${CURSOR_TABLE} WHERE consumer = ${quoted(consumer)}`,
        `INSERT INTO ${CURSOR_TABLE} (consumer, version, loaded_day, load_count) VALUES (${values.join(', ')})`,
        'COMMIT TRANSACTION',
      ]
      await to.queryOnce(
        `mekong_apply_${digest.digest('hex').slice(0, 40)}`,
        `${script.join(';\n')};`,
      )
      for (const { name } of staged)
        await to.query(`DROP TABLE IF EXISTS ${STAGING_DATASET}.${name}`)
    },
    close: async () => {},
  })
}

/** Tables that are loaded by day are laid by day, so that replacing one touches nothing else. */
function tableSql(table: WarehouseTable): string {
  const { load } = table
  const sql = createTableSql(table, BIGQUERY_DIALECT)
  return load.by === 'day' ? `${sql} PARTITION BY ${load.day}` : sql
}

async function stateOf(to: BigqueryProject, consumer: string) {
  const [row] = await to.query(
    `SELECT version, loaded_day, load_count FROM ${CURSOR_TABLE} WHERE consumer = ${quoted(consumer)}`,
  )
  if (row === undefined) return { cursor: undefined, loadCount: 0 }
  return {
    cursor: { version: Number(row[0]), day: String(row[1]) },
    loadCount: Number(row[2]),
  }
}

/** The file's cells in a table of its own. The table and the job are named by what is in it. */
async function stage(
  to: BigqueryProject,
  { table, file, rowCount }: TableLoad,
  occasion: string,
): Promise<StagingTable> {
  const digest = createHash('sha256').update(occasion).update(table.name)
  const stream = createReadStream(file).on('data', (bytes) => digest.update(bytes))
  await once(stream, 'close')
  const id = digest.digest('hex').slice(0, 32)
  const staged = {
    ...{ dataset: STAGING_DATASET, name: `arriving_${table.name.replace('.', '_')}_${id}` },
    columns: table.columns.map(({ name }) => name),
  }
  const madeAt = await to.makeStagingTable(staged)
  if (rowCount > 0) await to.loadOnce(`mekong_stage_${id}_${madeAt}`, staged, file)
  return staged
}
