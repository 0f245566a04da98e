import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { type CreateOptions, createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { IcebergDeps } from '../../../src/lake/iceberg/deps.ts'
import { type IcebergTable, openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openBench } from './engine.ts'

/** Iceberg tables in a temporary folder, with the platform's engine and a clock that moves a second at each look. */
export async function openTestLake() {
  const bench = await openBench()
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-iceberg-lake-'))
  const clock = { atMs: 1_704_067_200_000, nowMs: () => (clock.atMs += 1000) }
  const deps: IcebergDeps = {
    store: await openLocalStore({ folder, nowMs: () => clock.nowMs() }),
    ports: bench.ports,
    clock,
    randomness: systemRandomness,
  }
  let tableCount = 0
  return {
    folder,
    bench,
    /** What `test/lake/duckdb-ports.ts` calls them. */
    engine: { rows: bench.rows, relation: bench.relation },
    deps,
    clock,
    async table(options: CreateOptions): Promise<IcebergTable> {
      tableCount += 1
      const location = `lake/t${tableCount}`
      expect(await createIcebergTable(deps, location, options)).toEqual({ status: 'created' })
      return openIcebergTable(deps, location)
    },
    open: (location: string) => openIcebergTable(deps, location),
    async append(table: IcebergTable, sql: string, columns: Columns) {
      const prepared = await table.prepareAppend(await bench.relation(sql, columns))
      const outcome = await table.commitAppend(prepared)
      expect(outcome).toMatchObject({ status: 'committed' })
    },
    /** Fails unless the table holds exactly the rows of a query. */
    async expectRows(table: IcebergTable, sql: string) {
      const plan = await (await table.snapshot()).plan()
      const missing = await bench.scan(plan, (ours) => `(${sql}) EXCEPT ALL (${ours}) LIMIT 5`)
      const extra = await bench.scan(plan, (ours) => `(${ours}) EXCEPT ALL (${sql}) LIMIT 5`)
      expect({ missing, extra }).toEqual({ missing: [], extra: [] })
    },
    async close() {
      await bench[Symbol.asyncDispose]()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type TestLake = Awaited<ReturnType<typeof openTestLake>>
