import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { lakeRows } from '../sql/duckdb/lake-rows.ts'
import { parquetTables } from '../sql/duckdb/parquet-tables.ts'
import { fileStager } from '../sql/duckdb/stage-files.ts'
import { openLocalStore } from '../storage/local.ts'

export interface LakeHomeOptions {
  /** Folder of the lake; tables are at `<layer>/<table>` in it. */
  readonly folder: string
  readonly engine: ComputeEngine
  readonly clock: Clock
  readonly randomness: Randomness
}

/** Files on their way into a table lie here, on the same disk, so that moving one in is a rename. */
const STAGING_FOLDER = '.staging'

/** The lake of a home folder: local objects, with the compute engine to write and read Parquet. */
export async function openLakeHome(options: LakeHomeOptions): Promise<DeltaDeps> {
  const { folder, engine, clock, randomness } = options
  return {
    store: await openLocalStore({ folder, nowMs: () => clock.nowMs() }),
    ports: {
      stageFiles: fileStager(engine),
      parquet: parquetTables(() => engine.connection()),
      tableRows: lakeRows({
        connect: () => engine.connection(),
        relationName: (word) => engine.relationName(word),
      }),
      scratch: {
        async makeFolder() {
          const parent = path.join(folder, STAGING_FOLDER)
          await mkdir(parent, { recursive: true })
          const made = await mkdtemp(path.join(parent, 'write-'))
          return {
            path: made,
            [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }),
          }
        },
      },
    },
    clock,
    randomness,
  }
}

/** Key of a table in the lake: `bronze.user_events` is at `bronze/user_events`. */
export const tableKey = (name: string): string => name.replace('.', '/')
