import type { ChatEndpoint } from '../enrich/answering/chat-completion.ts'
import { type CheckSyncsOptions, checkSyncs, type SourceCheck } from '../flow/check-syncs.ts'
import { estimateLabels, type LabelEstimate } from '../flow/label-keywords.ts'
import { lakeCatalog } from '../flow/lake-catalog.ts'
import { openLakeHome } from '../flow/lake-home.ts'
import { openLineage } from '../flow/open-lineage.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import { readStores } from '../flow/read-stores.ts'
import type { Backfill } from '../model/backfill.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ReadStores } from '../pipeline/read.ts'
import type { DocumentStore } from '../serve/document-store.ts'
import { type PostgresConfig, secret } from '../serve/postgres/config.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { backfillStore } from '../state/backfill-store.ts'
import { runStore } from '../state/run-store.ts'
import type { StateStore } from '../state/state-store.ts'
import { type Backfills, openBackfills } from './backfills/backfills.ts'
import type { Home } from './home.ts'
import { lakePlace } from './lake-place.ts'
import { labelModelOf } from './open-label-model.ts'
import { publisherOf } from './open-publisher.ts'
import { openRunDatabase } from './open-run-database.ts'
import { openSyncStores, type SyncStores } from './open-sync-stores.ts'
import { openWarehouse } from './open-warehouse.ts'
import { openRunner, type Runner, type RunnerOptions } from './runs/runner.ts'
import { taskGraph } from './runs/task-graph.ts'
import { type Scheduler, startScheduler } from './schedules/scheduler.ts'
import { schedulesOf } from './schedules/schedules-of.ts'
import type { Settings } from './settings.ts'
import { tasksOf } from './tasks-of.ts'

export interface PlatformRunnerOptions
  extends Pick<RunnerOptions, 'onTask' | 'onEnd' | 'onNotice'> {
  readonly home: Home
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  readonly state: StateStore
  /** Look after schedules, interrupted runs and backfills, and not only after what is asked for. */
  readonly beginsRuns: boolean
  readonly onPart?: (backfill: Backfill) => void
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
  readonly backfills: Backfills
  /** `undefined` when nobody begins runs at their moments here. */
  readonly scheduler: Scheduler | undefined
  /** What labelling would take now, table by table. */
  estimateLabels(plan: PipelinePlan, signal: AbortSignal): Promise<readonly LabelEstimate[]>
  /** The stores that follow tables by their changes. */
  readonly stores: SyncStores
  /** What read routes may look at, for one request. */
  readStores(signal: AbortSignal): ReadStores
  /** Compare them with the tables. */
  checkSyncs(options: CheckSyncsOptions): Promise<readonly SourceCheck[]>
  stop(): Promise<void>
}

/** Who carries out the tasks of a platform. @throws whatever is wrong with the tasks of a plan, TaskCycleError, StateUnavailableError */
export async function openPlatformRunner(options: PlatformRunnerOptions): Promise<PlatformRunner> {
  const { home, settings, plans, state, engine, postgres, clock, randomness } = options
  const place = lakePlace(home, settings)
  const lakeHome = await openLakeHome({ ...place, engine, clock, randomness })
  const stores = openSyncStores({ home, settings, plans, clock })
  const closers: (() => Promise<void> | void)[] = [() => lakeHome.close(), () => stores.close()]
  const close = async () => {
    for (const one of closers.splice(0).reverse()) await one()
  }
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
      catalog: lakeCatalog({ ...place, home: async () => lakeHome }),
    }
    const database = await openRunDatabase(settings, state)
    closers.push(() => database.close())
    const store = runStore(database)
    const runner = await openRunner({
      ...{ graph: taskGraph(await tasksOf(world, plans)), store, clock, randomness },
      ...options,
      chance: () => Math.random(),
      concurrency: settings.taskConcurrency,
      alone: !store.shared,
    })
    const { onNotice } = options
    const backfills = openBackfills({
      ...{ store: backfillStore(database), runner, clock, randomness, onNotice },
      ...(options.onPart === undefined ? {} : { onPart: options.onPart }),
    })
    const begun = options.beginsRuns ? await beginRuns(options, { runner, backfills }) : undefined
    return {
      ...{ runner, backfills, scheduler: begun?.scheduler },
      estimateLabels: (plan, signal) =>
        Promise.all(plan.labels.map((label) => estimateLabels(world, label, signal))),
      stores,
      readStores: (signal) =>
        readStores({ engine, delta: lakeHome.delta, ...stores, chat: chatOf(settings) }, signal),
      checkSyncs: (request) => checkSyncs(world, plans, request),
      async stop() {
        await begun?.stop()
        await runner.stop()
        await close()
      },
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** Rows go to and from Spark as files in the spill folder. */
const sparkPlace = (home: Home, { sparkRemote }: Settings) =>
  sparkRemote === undefined ? undefined : { url: sparkRemote, folder: home.spill }

/** The chat endpoint of the settings, where there is one. */
function chatOf({ answersUrl, answersModel, answersApiKey }: Settings): ChatEndpoint | undefined {
  if (answersUrl === undefined || answersModel === undefined) return undefined
  const apiKey = answersApiKey === undefined ? null : secret(answersApiKey)
  return { url: answersUrl, model: answersModel, apiKey }
}

async function beginRuns(
  { settings, plans, clock, onNotice }: PlatformRunnerOptions,
  { runner, backfills }: Pick<PlatformRunner, 'runner' | 'backfills'>,
) {
  const scheduler = await startScheduler({
    // Interrupted runs are gone on with here, whoever begins them.
    schedules: settings.scheduler === 'on' ? schedulesOf(plans, settings) : [],
    ...{ runner, clock, onNotice, historyMs: settings.runHistoryDays * 86_400_000 },
  })
  const looking = backfills.look()
  return {
    scheduler,
    async stop() {
      await scheduler.stop()
      // A part in hand ends when its run is interrupted, which the runner does next.
      const stopped = looking.stop()
      await runner.stop()
      await stopped
    },
  }
}
