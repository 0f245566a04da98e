import { existsSync } from 'node:fs'
import path from 'node:path'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import { openSqliteCatalog, type SqliteCatalog } from '../lake/iceberg/sqlite-catalog.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ObjectStore } from '../model/object-store.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { lakeRows } from '../sql/duckdb/lake-rows.ts'
import { parquetTables } from '../sql/duckdb/parquet-tables.ts'
import { fileStager } from '../sql/duckdb/stage-files.ts'
import { openLocalStore } from '../storage/local.ts'
import { TEMPORARY_FOLDER } from '../storage/object-key.ts'
import { openLocalScratch } from '../storage/scratch.ts'

/** What tables of both formats need from outside. */
export interface LakeDeps extends DeltaDeps, Omit<IcebergDeps, keyof DeltaDeps> {}

export interface LakeHomeOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. */
  readonly folder: string
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly randomness: Randomness
}

/** The lake of a home folder: local objects, with the compute engine to write and read Parquet. */
export async function openLakeHome(options: LakeHomeOptions): Promise<LakeDeps> {
  const { folder, engine, clock, randomness } = options
  const nowMs = () => clock.nowMs()
  return {
    store: await openLocalStore({ folder, nowMs }),
    ports: {
      ...lakePorts(engine),
      // On the store's own disk, so that moving a file in is a rename.
      scratch: await openLocalScratch({ folder: path.join(folder, TEMPORARY_FOLDER), nowMs }),
    },
    clock,
    randomness,
  }
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

/** The file in a lake's folder that says where Iceberg tables are which belong to its catalog. */
export const CATALOG_FILE = 'catalog.sqlite'

export interface LakeIcebergOptions {
  /** Of the lake. */
  readonly folder: string
  readonly store: ObjectStore
  readonly clock: Clock
  readonly randomness: Randomness
}

/** The catalog of a lake's Iceberg tables, made when missing. @throws CatalogUnavailableError */
export function openLakeIceberg(options: LakeIcebergOptions): SqliteCatalog {
  const { folder, ...rest } = options
  return openSqliteCatalog({ path: path.join(folder, CATALOG_FILE), ...rest })
}

/** Whether a lake has a catalog of Iceberg tables. */
export const hasLakeIceberg = (folder: string): boolean =>
  existsSync(path.join(folder, CATALOG_FILE))
