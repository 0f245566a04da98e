import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { duckdbWarehouse } from '../../../src/serve/duckdb/warehouse.ts'
import { describeWarehouse } from '../../conformance/warehouse.ts'

describeWarehouse('a DuckDB file', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-warehouse-file-'))
  const file = path.join(folder, 'warehouse.duckdb')
  return {
    warehouse: duckdbWarehouse({ file }),
    // As any other program would read it.
    async rows(sql) {
      const instance = await DuckDBInstance.create(file)
      const connection = await instance.connect()
      try {
        return (await connection.runAndReadAll(sql)).getRows() as (string | null)[][]
      } finally {
        connection.closeSync()
        instance.closeSync()
      }
    },
    close: async () => rmSync(folder, { recursive: true }),
  }
})
