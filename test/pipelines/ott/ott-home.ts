import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import ott from '../../../pipelines/ott/pipeline.ts'
import { writeSimulatedFiles } from '../../../src/cli/simulated-files.ts'
import { dayUnits } from '../../../src/flow/day-unit.ts'
import { type DayOutcome, loadDays } from '../../../src/flow/files-to-lake.ts'
import { type LabelModelConfig, labelTasks } from '../../../src/flow/label-keywords.ts'
import { type LakeCatalog, lakeCatalog } from '../../../src/flow/lake-catalog.ts'
import { openLakeHome } from '../../../src/flow/lake-home.ts'
import type { ModelLake } from '../../../src/flow/model-lake.ts'
import { withFilesWorld } from '../../../src/flow/open-files-world.ts'
import { openModelLake } from '../../../src/flow/open-model-lake.ts'
import { publishTasks } from '../../../src/flow/publish-table.ts'
import { modelTasks } from '../../../src/flow/run-model.ts'
import { lakeQueryTables } from '../../../src/flow/tables-to-sql.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { TaskReport } from '../../../src/model/task.ts'
import { withParameters } from '../../../src/pipeline/model-parameters.ts'
import type { SimulatedFile } from '../../../src/pipeline/plan.ts'
import type { TablePublisher } from '../../../src/serve/table-publisher.ts'
import { type ComputeEngine, openComputeEngine } from '../../../src/sql/duckdb/engine.ts'
import { runQuery } from '../../../src/sql/duckdb/query.ts'
import { openStateStore, type StateStore } from '../../../src/state/state-store.ts'

/** The ott pipeline on a home of its own, without front door and stores: files in, tasks run, rows out. */
export interface OttHome extends AsyncDisposable {
  readonly folder: string
  readonly engine: ComputeEngine
  readonly state: StateStore
  readonly catalog: LakeCatalog
  readonly lake: ModelLake
  write(files: Iterable<SimulatedFile>): Promise<readonly string[]>
  load(paths: readonly string[]): Promise<readonly DayOutcome[]>
  /** Tasks by id, in their order, each to its end. */
  run(options?: RunOptions): Promise<Readonly<Record<string, TaskReport>>>
  rows(sql: string): Promise<readonly (readonly unknown[])[]>
}

export interface RunOptions {
  readonly labelModel?: LabelModelConfig
  /** Without one nothing is published. */
  readonly publisher?: () => TablePublisher
  readonly signal?: AbortSignal
  /** As MEKONG_PARAMETERS says them. */
  readonly parameters?: string
}

export async function openOttHome(at?: string): Promise<OttHome> {
  const folder = at ?? (await mkdtemp(path.join(tmpdir(), 'mekong-ott-')))
  const lakeFolder = path.join(folder, 'lake')
  const spill = path.join(folder, 'spill')
  const shared = { clock: systemClock, randomness: systemRandomness }
  const state = await openStateStore({
    file: path.join(folder, 'state.sqlite'),
    clock: systemClock,
  })
  const engine = await openComputeEngine({
    spillDirectory: spill,
    memoryLimitBytes: 512 * 1024 ** 2,
  })
  const lakeHome = await openLakeHome({ folder: lakeFolder, engine, ...shared })
  const lake = openModelLake(lakeHome)
  const catalog = lakeCatalog({ folder: lakeFolder, home: async () => lakeHome })
  const { signal: never } = new AbortController()
  return {
    ...{ folder, engine, state, catalog, lake },
    write: (files) => writeSimulatedFiles(engine, path.join(folder, 'files'), files),
    async load(paths) {
      const units = await dayUnits(ott.files, paths)
      const memoryLimitBytes = 512 * 1024 ** 2
      return withFilesWorld(
        { lake: lakeFolder, spill, memoryLimitBytes, state, ...shared },
        (world) => loadDays(world, { pipeline: 'ott', units, signal: never }),
      )
    },
    async run({ labelModel, publisher, signal = never, parameters = '' } = {}) {
      const { plans, problems } = withParameters([ott], parameters)
      if (problems.length > 0) throw new Error(problems.join('; '))
      const tasks = [
        ...labelTasks({ ...{ engine, lake, catalog, state, labelModel }, ...shared }, ott),
        ...(await modelTasks({ engine, lake }, plans[0]!)),
        ...(publisher === undefined ? [] : publishTasks({ engine, lake, publisher }, ott)),
      ]
      const reports: Record<string, TaskReport> = {}
      for (const task of tasks)
        reports[task.id] = await task.run({
          ...{ runId: 'r', logicalMs: Date.now(), attempt: 1, fullRefresh: false, signal },
          ...{ log: () => {}, progress: () => {} },
        })
      return reports
    },
    async rows(sql) {
      const tables = await lakeQueryTables(catalog, engine)
      return (await runQuery(engine, { sql, tables, rowCountMax: 1_000_000 })).rows
    },
    async [Symbol.asyncDispose]() {
      lakeHome.close()
      engine.close()
      await state.close()
      if (at === undefined) await rm(folder, { recursive: true, force: true })
    },
  }
}
