import path from 'node:path'
import type { Clock, Randomness } from '../model/clock.ts'
import { openComputeEngine } from '../sql/duckdb/engine.ts'
import type { StateStore } from '../state/state-store.ts'
import type { FilesWorld } from './files-to-lake.ts'
import { openLakeHome, type RemoteLake } from './lake-home.ts'

export interface FilesWorldOptions {
  /** Folder of the lake. */
  readonly lake: string
  /** Where its tables are, if not in that folder. */
  readonly remote?: RemoteLake
  /** A folder to spill into. */
  readonly spill: string
  readonly memoryLimitBytes: number
  readonly state: StateStore
  readonly clock: Clock
  readonly randomness: Randomness
}

/**
 * Do something with day files, in a compute engine of its own with all cores: this one keeps the order of rows, which the others need not
 * and which would cost them speed.
 */
export async function withFilesWorld<T>(
  { lake: folder, remote, spill, memoryLimitBytes, state, clock, randomness }: FilesWorldOptions,
  work: (world: FilesWorld) => Promise<T>,
): Promise<T> {
  const spillDirectory = path.join(spill, 'files')
  const engine = await openComputeEngine({ spillDirectory, memoryLimitBytes })
  try {
    const connection = await engine.connection()
    await connection.run('SET GLOBAL preserve_insertion_order = true')
    connection.close()
    const lake = await openLakeHome({
      ...{ folder, engine, clock, randomness },
      ...(remote === undefined ? {} : { remote }),
    })
    try {
      return await work({ engine, lakeHome: lake, state, clock })
    } finally {
      lake.close()
    }
  } finally {
    engine.close()
  }
}
