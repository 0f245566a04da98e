import type { ChatEndpoint } from '../enrich/answering/chat-completion.ts'
import { type CheckSyncsOptions, checkSyncs, type SourceCheck } from '../flow/check-syncs.ts'
import { lakeCatalog } from '../flow/lake-catalog.ts'
import { openLakeHome } from '../flow/lake-home.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import { readStores } from '../flow/read-stores.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ReadStores } from '../pipeline/read.ts'
import { secret } from '../serve/postgres/config.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runStore } from '../state/run-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Home } from './home.ts'
import { openSyncStores, type SyncStores } from './open-sync-stores.ts'
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
  readonly clock: Clock
  readonly randomness: Randomness
}

export interface PlatformRunner {
  readonly runner: Runner
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
  const { home, settings, plans, state, engine, clock, randomness } = options
  const lakeHome = await openLakeHome({ folder: home.lake, engine, clock, randomness })
  const stores = openSyncStores({ home, settings, plans, clock })
  try {
    const world = {
      ...{ engine, lake: openModelLake(lakeHome), delta: lakeHome.delta, targets: stores },
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
      stores,
      readStores: (signal) =>
        readStores({ engine, delta: lakeHome.delta, ...stores, chat: chatOf(settings) }, signal),
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

/** The chat endpoint of the settings, where there is one. */
function chatOf({ answersUrl, answersModel, answersApiKey }: Settings): ChatEndpoint | undefined {
  if (answersUrl === undefined || answersModel === undefined) return undefined
  const apiKey = answersApiKey === undefined ? null : secret(answersApiKey)
  return { url: answersUrl, model: answersModel, apiKey }
}
