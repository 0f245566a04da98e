import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type LakeCatalog, lakeCatalog } from '../../src/flow/lake-catalog.ts'
import { type LakeHome, openLakeHome, tableKey } from '../../src/flow/lake-home.ts'
import { type TablePlaces, tablePlaces } from '../../src/flow/table-places.ts'
import { createDeltaTable } from '../../src/lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../../src/lake/delta/table.ts'
import { createIcebergTable } from '../../src/lake/iceberg/create.ts'
import { type IcebergTable, openIcebergTable } from '../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../src/model/clock.ts'
import type { Columns } from '../../src/model/column.ts'
import type { Relation } from '../../src/model/relation.ts'
import {
  type ComputeEngine,
  type EngineConnection,
  openComputeEngine,
} from '../../src/sql/duckdb/engine.ts'

export const SALES: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'city', type: 'string', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
]

/** A lake in a home folder of the test's own, to fill with tables of both formats. */
export interface LakeOfBoth {
  readonly home: string
  /** `<home>/lake` */
  readonly folder: string
  readonly engine: ComputeEngine
  readonly connection: EngineConnection
  readonly lakeHome: LakeHome
  readonly lake: LakeCatalog
  readonly places: TablePlaces
  relation(query: string, columns?: Columns): Promise<Relation>
  delta(name: string, columns?: Columns): Promise<DeltaTable>
  /** Known to the lake's catalog. */
  icebergTable(name: string, columns?: Columns): Promise<IcebergTable>
  append(table: Pick<DeltaTable | IcebergTable, never>, query: string): Promise<void>
  close(): Promise<void>
}

export async function openLakeOfBoth(): Promise<LakeOfBoth> {
  const home = mkdtempSync(path.join(tmpdir(), 'mekong-lake-'))
  const folder = path.join(home, 'lake')
  const engine = await openComputeEngine({
    spillDirectory: path.join(home, 'spill'),
    memoryLimitBytes: 512 * 1024 ** 2,
    threads: 2,
  })
  const connection = await engine.connection()
  const world = { clock: systemClock, randomness: systemRandomness }
  const lakeHome = await openLakeHome({ folder, engine, ...world })
  const { delta: deps, iceberg } = lakeHome
  const lake = lakeCatalog({ folder, home: async () => lakeHome })
  const places = tablePlaces({ lake, paths: { cwd: home, engine: async () => engine, ...world } })
  const relation = async (query: string, columns = SALES): Promise<Relation> => {
    const name = engine.relationName('rows')
    await connection.run(`CREATE TABLE ${name} AS ${query}`)
    const [row] = await connection.rows(`SELECT count(*)::INTEGER FROM ${name}`)
    return { name, columns, rowCount: Number(row![0]) }
  }
  return {
    ...{ home, folder, engine, connection, lakeHome, lake, places, relation },
    async delta(name, columns = SALES) {
      await createDeltaTable(deps, tableKey(name), { name, columns })
      return openDeltaTable(deps, tableKey(name))
    },
    async icebergTable(name, columns = SALES) {
      await createIcebergTable(iceberg, name, { columns, location: tableKey(name) })
      return openIcebergTable(iceberg, name)
    },
    async append(table, query) {
      const each = table as DeltaTable
      await each.commitAppend(await each.prepareAppend(await relation(query)))
    },
    async close() {
      await places.close()
      lakeHome.close()
      connection.close()
      engine.close()
      rmSync(home, { recursive: true, force: true })
    },
  }
}
