import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll } from 'vitest'
import {
  type ComputeEngine,
  type ComputeEngineOptions,
  type EngineConnection,
  openComputeEngine,
} from '../../../src/sql/duckdb/engine.ts'

/** An engine and a connection for one test file, with a folder of its own. */
export function engineForTests(options: Partial<ComputeEngineOptions> = {}) {
  const held = {} as { engine: ComputeEngine; connection: EngineConnection; folder: string }
  beforeAll(async () => {
    held.folder = mkdtempSync(path.join(tmpdir(), 'mekong-duckdb-'))
    held.engine = await openComputeEngine({
      spillDirectory: path.join(held.folder, 'spill'),
      memoryLimitBytes: 512 * 1024 ** 2,
      ...options,
    })
    held.connection = await held.engine.connection()
  })
  afterAll(() => {
    held.engine.close()
    rmSync(held.folder, { recursive: true })
  })
  return held
}
