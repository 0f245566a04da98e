import { randomUUID } from 'node:crypto'
import { lakePorts } from '../../src/flow/lake-home.ts'
import { lakeQueryTables } from '../../src/flow/tables-to-sql.ts'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { openIcebergTable } from '../../src/lake/iceberg/table.ts'
import type { Columns } from '../../src/model/column.ts'
import type { Platform } from '../../src/orchestrator/platform.ts'
import { runQuery } from '../../src/sql/duckdb/query.ts'
import type { ServiceHandle, SkipReason, ToolsetHandle } from '../services.ts'
import { type PlatformForTests, platformForTests } from './platform-for-tests.ts'

// A platform whose lake is in a bucket of the service `s3`, for tests of its catalog.

export const environmentOf = (given: ServiceHandle | ToolsetHandle | SkipReason) => {
  if ('skip' in given) throw new Error(given.skip)
  return given.environment
}

export function platformInBucket(
  service: ServiceHandle | SkipReason,
  icebergCredentials: 'none' | 'vended',
): Promise<PlatformForTests> {
  const { MEKONG_S3_BUCKET, MEKONG_S3_ENDPOINT, ...keys } = environmentOf(service)
  return platformForTests({
    plans: [],
    settings: {
      lake: `s3://${MEKONG_S3_BUCKET}/rest/${randomUUID()}`,
      awsEndpoint: MEKONG_S3_ENDPOINT,
      icebergCredentials,
    },
    variables: keys,
  })
}

export const ID_COLUMN: Columns = [{ name: 'id', type: 'int64', nullable: true }]

/** A table of ours in the bucket, `bronze.ours`, with rows. Returns their ids. */
export async function ourTable({ iceberg, engine }: Platform): Promise<number[]> {
  await createIcebergTable(iceberg, 'bronze.ours', { columns: ID_COLUMN })
  // The platform writes with an engine of its own, which nobody else can put rows into.
  const ports = { ...iceberg.ports, ...lakePorts(engine) }
  const table = await openIcebergTable({ ...iceberg, ports }, 'bronze.ours')
  const connection = await engine.connection()
  const name = engine.relationName('rows')
  try {
    await connection.run(`CREATE TABLE ${name} AS SELECT range AS id FROM range(5)`)
    const rows = { name, columns: ID_COLUMN, rowCount: 5 }
    await table.commitAppend(await table.prepareAppend(rows))
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${name}`)
    connection.close()
  }
  return [0, 1, 2, 3, 4]
}

/** Ids of a table of the lake, as our SQL sees them. */
export async function idsOf({ engine, lake }: Platform, table: string) {
  const tables = await lakeQueryTables(lake, engine)
  const { rows } = await runQuery(engine, { sql: `SELECT id FROM ${table} ORDER BY id`, tables })
  return rows.map(([id]) => BigInt(id as number))
}
