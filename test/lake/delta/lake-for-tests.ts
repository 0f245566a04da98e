import { mkdtemp, rm } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { expect } from 'vitest'
import { type CreateOptions, createDeltaTable } from '../../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import { systemRandomness } from '../../../src/model/clock.ts'
import type { Columns } from '../../../src/model/column.ts'
import { scanSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { openLocalScratch } from '../../../src/storage/scratch.ts'
import { openTestEngine } from '../duckdb-ports.ts'

/** A lake in a temporary folder, with an engine and a clock that moves a second at each look. */
export async function openTestLake() {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'mekong-delta-'))
  const engine = await openTestEngine()
  const clock = { atMs: 1_704_067_200_000, nowMs: () => (clock.atMs += 1000) }
  const deps: DeltaDeps = {
    store: await openLocalStore({ folder, nowMs: () => clock.nowMs() }),
    ports: {
      ...engine,
      scratch: await openLocalScratch({ folder: path.join(folder, '.mekong-tmp') }),
    },
    clock,
    randomness: systemRandomness,
  }
  let tableCount = 0
  return {
    folder,
    engine,
    deps,
    clock,
    async table(options: CreateOptions): Promise<DeltaTable> {
      tableCount += 1
      const location = `lake/t${tableCount}`
      expect(await createDeltaTable(deps, location, options)).toEqual({ status: 'created' })
      return openDeltaTable(deps, location)
    },
    async append(table: DeltaTable, sql: string, columns: Columns) {
      const prepared = await table.prepareAppend(await engine.relation(sql, columns))
      const outcome = await table.commitAppend(prepared)
      expect(outcome).toMatchObject({ status: 'committed' })
      return outcome.version
    },
    /** Rows of a query over the table, which is called `t` in it. */
    async rows(table: DeltaTable, sql: string, ...args: Parameters<DeltaTable['snapshot']>) {
      const plan = await (await table.snapshot(...args)).plan()
      return engine.rows(`WITH t AS (${scanSql(plan)}) ${sql}`)
    },
    /** Fails unless the table holds exactly the rows of a query. */
    async expectRows(table: DeltaTable, sql: string) {
      const ours = `(${scanSql(await (await table.snapshot()).plan())})`
      expect(await engine.rows(`${ours} EXCEPT ALL (${sql}) LIMIT 5`)).toEqual([])
      expect(await engine.rows(`(${sql}) EXCEPT ALL ${ours} LIMIT 5`)).toEqual([])
    },
    async close() {
      engine.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type TestLake = Awaited<ReturnType<typeof openTestLake>>
