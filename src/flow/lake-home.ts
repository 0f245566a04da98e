import path from 'node:path'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { lakeRows } from '../sql/duckdb/lake-rows.ts'
import { parquetTables } from '../sql/duckdb/parquet-tables.ts'
import { fileStager } from '../sql/duckdb/stage-files.ts'
import { openLocalStore } from '../storage/local.ts'
import { TEMPORARY_FOLDER } from '../storage/object-key.ts'
import { openLocalScratch } from '../storage/scratch.ts'
import { type HomeCatalog, homeCatalog } from './home-catalog.ts'

/** What tables of both formats need from outside. */
export interface LakeDeps extends DeltaDeps, Omit<IcebergDeps, keyof DeltaDeps> {}

export interface LakeHomeOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. */
  readonly folder: string
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly randomness: Randomness
}

/** What the tables of a lake are made of, by format. Delta tables are known by their folders, Iceberg tables by the catalog. */
export interface LakeHome {
  readonly delta: DeltaDeps
  readonly iceberg: IcebergDeps & { readonly catalog: HomeCatalog }
  close(): void
}

/** The lake of a home folder: local objects, with the compute engine to write and read Parquet. */
export async function openLakeHome(options: LakeHomeOptions): Promise<LakeHome> {
  const { folder, engine, clock, randomness } = options
  const nowMs = () => clock.nowMs()
  const store = await openLocalStore({ folder, nowMs })
  const delta: DeltaDeps = {
    store,
    ports: {
      ...lakePorts(engine),
      // On the store's own disk, so that moving a file in is a rename.
      scratch: await openLocalScratch({ folder: path.join(folder, TEMPORARY_FOLDER), nowMs }),
    },
    clock,
    randomness,
  }
  const catalog = homeCatalog({ folder, store, clock, randomness })
  return { delta, iceberg: { ...delta, catalog }, close: () => catalog.close() }
}

/** What the compute engine does for tables. */
export function lakePorts(engine: ComputeEngine): Omit<LakeDeps['ports'], 'scratch'> {
  return {
    stageFiles: fileStager(engine),
    parquet: parquetTables(() => engine.connection()),
    tableRows: lakeRows({
      connect: () => engine.connection(),
      relationName: (word) => engine.relationName(word),
    }),
  }
}

/** Key of a table in the lake: `bronze.user_events` is at `bronze/user_events`. */
export const tableKey = (name: string): string => name.replaceAll('.', '/')
