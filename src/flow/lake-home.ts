import path from 'node:path'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { lakeRows } from '../sql/duckdb/lake-rows.ts'
import { parquetTables } from '../sql/duckdb/parquet-tables.ts'
import { fileStager } from '../sql/duckdb/stage-files.ts'
import { openLocalStore } from '../storage/local.ts'
import { TEMPORARY_FOLDER } from '../storage/object-key.ts'
import { openLocalScratch } from '../storage/scratch.ts'

export interface LakeHomeOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. */
  readonly folder: string
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly randomness: Randomness
}

/** The lake of a home folder: local objects, with the compute engine to write and read Parquet. */
export async function openLakeHome(options: LakeHomeOptions): Promise<DeltaDeps> {
  const { folder, engine, clock, randomness } = options
  const nowMs = () => clock.nowMs()
  return {
    store: await openLocalStore({ folder, nowMs }),
    ports: {
      stageFiles: fileStager(engine),
      parquet: parquetTables(() => engine.connection()),
      tableRows: lakeRows({
        connect: () => engine.connection(),
        relationName: (word) => engine.relationName(word),
      }),
      // On the store's own disk, so that moving a file in is a rename.
      scratch: await openLocalScratch({ folder: path.join(folder, TEMPORARY_FOLDER), nowMs }),
    },
    clock,
    randomness,
  }
}

/** Key of a table in the lake: `bronze.user_events` is at `bronze/user_events`. */
export const tableKey = (name: string): string => name.replace('.', '/')
