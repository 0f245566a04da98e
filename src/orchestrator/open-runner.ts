import { type CheckSyncsOptions, checkSyncs, type SourceCheck } from '../flow/check-syncs.ts'
import { estimateLabels, type LabelEstimate } from '../flow/label-keywords.ts'
import { lakeCatalog } from '../flow/lake-catalog.ts'
import { openLakeHome } from '../flow/lake-home.ts'
import { openLineage } from '../flow/open-lineage.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { DocumentStore } from '../serve/document-store.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runStore } from '../state/run-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Home } from './home.ts'
import { labelModelOf } from './open-label-model.ts'
import { publisherOf } from './open-publisher.ts'
import { openSyncStores, type SyncStores } from './open-sync-stores.ts'
import { openWarehouse } from './open-warehouse.ts'
import { openRunner, type Runner, type RunnerOptions } from './runs/runner.ts'
import { taskGraph } from './runs/task-graph.ts'
import type { Settings } from './settings.ts'
import { tasksOf } from './tasks-of.ts'

export interface PlatformRunnerOptions
  extends Pick<RunnerOptions, 'onTask' | 'onEnd' | 'onNotice'> {
  readonly home: Home
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  readonly state: StateStore
  /** Tasks read and write with this one. */
  readonly engine: ComputeEngine
  /** Where tables are served from; `undefined` when no pipeline needs it. */
  readonly postgres: PostgresConfig | undefined
  /** Where documents are. */
  readonly documents: DocumentStore | undefined
  readonly clock: Clock
  readonly randomness: Randomness
}

export interface PlatformRunner {
  readonly runner: Runner
  /** What labelling would take now, table by table. */
  estimateLabels(plan: PipelinePlan, signal: AbortSignal): Promise<readonly LabelEstimate[]>
  /** The stores that follow tables by their changes. */
  readonly stores: SyncStores
  /** Compare them with the tables. */
  checkSyncs(options: CheckSyncsOptions): Promise<readonly SourceCheck[]>
  stop(): Promise<void>
}

/** Who carries out the tasks of a platform. @throws whatever is wrong with the tasks of a plan, TaskCycleError, StateUnavailableError */
export async function openPlatformRunner(options: PlatformRunnerOptions): Promise<PlatformRunner> {
  const { home, settings, plans, state, engine, postgres, clock, randomness } = options
  const lakeHome = await openLakeHome({ folder: home.lake, engine, clock, randomness })
  const stores = openSyncStores({ home, settings, plans, clock })
  try {
    const world = {
      ...{ engine, clock, randomness, state, lake: openModelLake(lakeHome) },
      lineage: openLineage(settings, options.onNotice),
      spark: sparkPlace(home, settings),
      maintainsByDefault: settings.maintenance === 'on',
      labelModel: labelModelOf(settings),
      // Without a MySQL server the platform has opened PostgreSQL for every pipeline that publishes.
      publisher: () => publisherOf(settings, postgres!),
      documents: options.documents,
      ...{ deltaLake: lakeHome.delta, delta: lakeHome.delta },
      warehouse: openWarehouse(home, settings),
      targets: stores,
      catalog: lakeCatalog({ folder: home.lake, home: async () => lakeHome }),
    }
    const store = runStore(state.runDatabase())
    const runner = await openRunner({
      ...{ graph: taskGraph(await tasksOf(world, plans)), store, clock, randomness },
      ...options,
      chance: () => Math.random(),
      concurrency: settings.taskConcurrency,
      alone: !store.shared,
    })
    return {
      runner,
      estimateLabels: (plan, signal) =>
        Promise.all(plan.labels.map((label) => estimateLabels(world, label, signal))),
      stores,
      checkSyncs: (request) => checkSyncs(world, plans, request),
      async stop() {
        await runner.stop()
        await stores.close()
        lakeHome.close()
      },
    }
  } catch (error) {
    await stores.close()
    lakeHome.close()
    throw error
  }
}

/** Rows go to and from Spark as files in the spill folder. */
const sparkPlace = (home: Home, { sparkRemote }: Settings) =>
  sparkRemote === undefined ? undefined : { url: sparkRemote, folder: home.spill }
