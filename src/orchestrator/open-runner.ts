import { lakeCatalog } from '../flow/lake-catalog.ts'
import { openLakeHome } from '../flow/lake-home.ts'
import { openLineage } from '../flow/open-lineage.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { runStore } from '../state/run-store.ts'
import type { StateStore } from '../state/state-store.ts'
import type { Home } from './home.ts'
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
  stop(): Promise<void>
}

/** Who carries out the tasks of a platform. @throws whatever is wrong with the tasks of a plan, TaskCycleError, StateUnavailableError */
export async function openPlatformRunner(options: PlatformRunnerOptions): Promise<PlatformRunner> {
  const { home, settings, plans, state, engine, clock, randomness } = options
  const lakeHome = await openLakeHome({ folder: home.lake, engine, clock, randomness })
  try {
    const world = {
      ...{
        engine,
        lake: openModelLake(lakeHome),
        lineage: openLineage(settings, options.onNotice),
        spark: sparkPlace(home, settings),
      },
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
      async stop() {
        await runner.stop()
        lakeHome.close()
      },
    }
  } catch (error) {
    lakeHome.close()
    throw error
  }
}

/** Rows go to and from Spark as files in the spill folder. */
const sparkPlace = (home: Home, { sparkRemote }: Settings) =>
  sparkRemote === undefined ? undefined : { url: sparkRemote, folder: home.spill }
