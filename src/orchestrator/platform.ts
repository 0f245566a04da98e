import path from 'node:path'
import { type AskWorld, ask, type Question } from '../flow/ask.ts'
import { filesLedger } from '../flow/files-ledger.ts'
import {
  type DayOutcome,
  type FilesWorld,
  type LoadDaysOptions,
  loadDays,
} from '../flow/files-to-lake.ts'
import { gatewayToLog } from '../flow/gateway-to-log.ts'
import { labelLedger } from '../flow/label-ledger.ts'
import { type LakeCatalog, lakeCatalog } from '../flow/lake-catalog.ts'
import { type LakeHome, openLakeHome } from '../flow/lake-home.ts'
import { pipelineLedger } from '../flow/ledger.ts'
import { rowsOfOlap } from '../flow/olap-to-sql.ts'
import { withFilesWorld } from '../flow/open-files-world.ts'
import { openModelLake } from '../flow/open-model-lake.ts'
import { publishLedger } from '../flow/publish-ledger.ts'
import type { LineReplay } from '../flow/replay.ts'
import { replayLine } from '../flow/replay-line.ts'
import { HOP_ENGINE_THREADS } from '../flow/running-hop.ts'
import { type Gateway, startGateway } from '../gateway/gateway.ts'
import type { HttpRoute } from '../gateway/router.ts'
import type { ClientStorage } from '../lake/iceberg/rest-exchange.ts'
import type { Log } from '../log/log.ts'
import type { Backfill } from '../model/backfill.ts'
import { type Clock, type Randomness, systemClock, systemRandomness } from '../model/clock.ts'
import { messageOf } from '../model/errors.ts'
import type { LedgerLine } from '../model/ledger.ts'
import { createMeter, type Meter } from '../model/meter.ts'
import type { Run, RunTask } from '../model/run.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { postgresName } from '../serve/postgres/config.ts'
import { type ComputeEngine, openComputeEngine } from '../sql/duckdb/engine.ts'
import { QueryRefusedError } from '../sql/duckdb/errors.ts'
import { type QueryResult, runQuery } from '../sql/duckdb/query.ts'
import { openStateStore, type StateStore } from '../state/state-store.ts'
import { alertSettings, alertSources } from './alert-sources.ts'
import { openAlerts } from './alerts/alerts.ts'
import type { Backfills } from './backfills/backfills.ts'
import type { LockedHome } from './home.ts'
import type { KeptAnswers } from './kept-answers.ts'
import { clientStorage, lakePlace } from './lake-place.ts'
import { logMetrics } from './log-metrics.ts'
import { startRetention } from './log-retention.ts'
import { type Access, openAccess } from './open-access.ts'
import { openDashboards } from './open-dashboards.ts'
import { collectionsOf, type Followers, openFollowers } from './open-followers.ts'
import { openLog } from './open-log.ts'
import { openPostgres } from './open-postgres.ts'
import { reachPublisher } from './open-publisher.ts'
import { openReferences, type References } from './open-references.ts'
import { openPlatformRunner, type PlatformRunner } from './open-runner.ts'
import { olapOf, type SyncStores } from './open-sync-stores.ts'
import { ensureTopics, ingestRoutes } from './plan-topics.ts'
import { type HopReport, notReady, platformHops } from './platform-hops.ts'
import { runMetrics } from './run-metrics.ts'
import type { Runner } from './runs/runner.ts'
import type { Scheduler } from './schedules/scheduler.ts'
import type { Settings } from './settings.ts'
import { withoutRepeats } from './without-repeats.ts'

// The whole platform in one process: state, log, compute engine, serving stores, hops, and last the front door. Everything is
// opened in the order in which records need it, and closed the other way round, so that nothing is accepted before it can be kept and
// nothing is stopped before what feeds it.

export interface PlatformOptions {
  readonly home: LockedHome
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  /** Routes beside the ingest doors, made once the platform stands. */
  readonly routes?: (platform: Platform) => readonly HttpRoute[]
  /** False carries what is in the log without opening the front door. Default true. */
  readonly openGateway?: boolean
  /** True begins runs at the moments of schedules (unless the settings say that something else does), and goes on with those that were interrupted and with backfills. Default false. */
  readonly schedule?: boolean
  /** Told of every change of a task in a run. */
  readonly onTask?: (run: Run, task: RunTask) => void
  /** Told when a part of a backfill begins and ends. */
  readonly onPart?: (backfill: Backfill) => void
  /** Told, in one line each, about things a person should know. */
  readonly onNotice: (line: string) => void
  readonly clock?: Clock
  readonly randomness?: Randomness
}

export interface Platform {
  /** Where the front door is; `undefined` when it was not opened. */
  readonly url: string | undefined
  /** How people reach the relational store, without its password. */
  readonly postgresUrl: string | undefined
  readonly psqlCommand: string | undefined
  /** The home folder. */
  readonly folder: string
  readonly plans: readonly PipelinePlan[]
  readonly log: Log
  readonly state: StateStore
  readonly engine: ComputeEngine
  readonly lake: LakeCatalog
  /** The lake's Iceberg tables, where they are, and what clients of their catalog are told of that. */
  readonly iceberg: LakeHome['iceberg'] & { readonly storage: ClientStorage }
  readonly references: References
  readonly followers: Followers
  /** Names of the collections of documents. */
  collections(): readonly string[]
  /** Who may do what, and what was done. */
  readonly access: Access
  readonly clock: Clock
  readonly meter: Meter
  /** Carries out tasks: models, syncs, maintenance. */
  readonly runner: Runner
  readonly backfills: Backfills
  /** Begins runs at their moments; `undefined` when nobody does here. */
  readonly scheduler: Scheduler | undefined
  /** The stores that follow tables by their changes. */
  readonly stores: SyncStores
  readonly checkSyncs: PlatformRunner['checkSyncs']
  readonly readStores: PlatformRunner['readStores']
  readonly startedMs: number
  /** What labelling a pipeline's texts would take now, without asking anybody. */
  readonly estimateLabels: PlatformRunner['estimateLabels']
  hops(): Promise<readonly HopReport[]>
  ledger(): Promise<readonly LedgerLine[]>
  /** What questions in SQL are asked of. */
  readonly askWorld: AskWorld
  /** Answer a question, which reads tables by name and can reach nothing else. @throws as `runQuery` */
  ask(question: Omit<Question, 'functions' | 'sandboxed'>): Promise<QueryResult>
  /** The answers of dashboards, kept. */
  readonly dashboards: KeptAnswers
  /** Returns when every hop has carried everything that is in its topics, or has failed, and everything that follows tables has followed. */
  drained(signal: AbortSignal): Promise<void>
  /** Load day files into the lake, each day exactly once. */
  loadDays(options: LoadDaysOptions): Promise<readonly DayOutcome[]>
  /** Put a dead line of a day file into its day, exactly once. @throws ReplayRefusedError */
  replayLine(wish: LineReplay): Promise<string>
  /** Close the door, finish what is in hand, close everything. Nothing accepted is lost. */
  stop(): Promise<void>
}

/** Start everything. What was opened is closed again when something does not open. */
export async function startPlatform(options: PlatformOptions): Promise<Platform> {
  const closers: (() => Promise<unknown> | unknown)[] = []
  const stop = async () => {
    for (const close of closers.splice(0).reverse()) await close()
  }
  try {
    return await assemble(options, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function assemble(
  options: PlatformOptions,
  closers: (() => Promise<unknown> | unknown)[],
  stop: () => Promise<void>,
): Promise<Platform> {
  const { home, settings, plans, onNotice } = options
  const clock = options.clock ?? systemClock
  const randomness = options.randomness ?? systemRandomness
  const meter = createMeter()

  const state = await openStateStore({ file: home.state, clock })
  closers.push(() => state.close())
  const log = await openLog({ home, settings, onNotice, watch: logMetrics(meter) })
  closers.push(() => log.close())
  // Two engines share the memory: one answers questions with all cores, the other carries records. See `HOP_ENGINE_THREADS`.
  const memoryLimitBytes = (settings.memoryMb * 1024 * 1024) / 2
  const engine = await openComputeEngine({ spillDirectory: home.spill, memoryLimitBytes })
  closers.push(() => engine.close())
  const hopEngine = await openComputeEngine({
    ...{ spillDirectory: path.join(home.spill, 'hops'), memoryLimitBytes },
    threads: HOP_ENGINE_THREADS,
  })
  closers.push(() => hopEngine.close())
  const place = lakePlace(home, settings)
  const lake = await openLakeHome({ ...place, engine: hopEngine, clock, randomness })
  closers.push(() => lake.close())
  const postgres = await openPostgres({ home, settings, plans, onNotice })
  closers.push(() => postgres?.close())

  await ensureTopics(log, plans)
  const references = await openReferences({
    ...{ plans, postgres: postgres?.config, log, lake, engine: hopEngine, clock, onNotice },
  })
  const followers = await openFollowers({
    ...{ plans, home, settings, postgres: postgres?.config, lake, engine, onNotice },
    chance: () => Math.random(),
  })
  // Hops carry before there are dashboards.
  let dashboards: KeptAnswers | undefined
  const hops = platformHops({
    ...{ plans, settings, log, state, engine: hopEngine, lake, references, clock, meter, onNotice },
    postgres: postgres?.config,
    onBatch(hop, pipeline) {
      followers.wake(hop)
      dashboards?.noteCommit(pipeline)
    },
  })
  closers.push(() => followers.stop())
  closers.push(() => hops.stop())
  closers.push(() => references.stop())
  hops.start()
  closers.push(startRetention(log, clock, onNotice))

  const alerts = openAlerts({ settings: alertSettings(settings), clock, onNotice })
  closers.push(() => alerts.stop())
  const countTask = runMetrics(meter)
  const { stop: stopRunner, ...work } = await openPlatformRunner({
    documents: followers.documents,
    ...{ home, settings, plans, state, engine, clock, randomness, onNotice },
    beginsRuns: options.schedule === true,
    onEnd: alerts.runEnded,
    postgres: postgres?.config,
    onTask(run, task) {
      countTask(run, task)
      options.onTask?.(run, task)
    },
    ...(options.onPart === undefined ? {} : { onPart: options.onPart }),
  })
  closers.push(stopRunner)

  const askWorld: AskWorld = {
    ...{ engine, plans, lake: lakeCatalog({ ...place, home: async () => lake }) },
    state: async () => state,
    async postgres() {
      if (postgres !== undefined) return postgres.config
      throw new QueryRefusedError('No pipeline here serves from PostgreSQL. Nothing was run.')
    },
    publisher: () => reachPublisher(settings, askWorld.postgres),
    runs: async () => work.runner.store,
    olap: rowsOfOlap(olapOf(work.stores)),
    ledger: async () =>
      (await platform.ledger()).map(({ inFlight, ...line }) => ({ ...line, in_flight: inFlight })),
  }
  const kept = openDashboards(askWorld, hops.running, clock)
  dashboards = kept
  closers.push(() => kept.stop())

  const inFilesWorld = <T>(work: (world: FilesWorld) => Promise<T>) =>
    withFilesWorld(
      {
        ...{
          ...place,
          lake: home.lake,
          spill: home.spill,
          memoryLimitBytes,
          state,
          clock,
          randomness,
        },
      },
      work,
    )
  const complain = withoutRepeats(onNotice, { clock })
  const onSurprise = (error: unknown, what: string) => complain(`${what}: ${messageOf(error)}`)
  const access = await openAccess({ settings, state, clock, randomness, onNotice, onSurprise })
  closers.push(() => access.keys.stop())

  let gateway: Gateway | undefined
  const platform: Platform = {
    get url() {
      return gateway?.url
    },
    postgresUrl: postgres === undefined ? undefined : postgresName(postgres.config),
    psqlCommand: postgres?.psqlCommand,
    folder: home.path,
    ...{ plans, log, state, engine, clock, meter, references, followers, access, ...work },
    lake: lakeCatalog({ ...place, home: async () => lake }),
    iceberg: { ...lake.iceberg, storage: clientStorage(settings) },
    startedMs: clock.nowMs(),
    loadDays: (request) => inFilesWorld((world) => loadDays(world, request)),
    replayLine: ({ letter, ...line }) => inFilesWorld((world) => replayLine(world, line, letter)),
    hops: hops.reports,
    ledger: async () => {
      const models = openModelLake(lake)
      const followed = followers.ledger()
      return (
        await Promise.all(
          plans.map(async (plan) => [
            ...(await pipelineLedger({
              plan,
              log,
              state,
              hops: hops.running.filter((hop) => hop.pipeline === plan.name),
            })),
            ...(await filesLedger({ plan, lake: platform.lake, state })),
            ...(await labelLedger({ plan, lake: platform.lake, state })),
            ...(await publishLedger({ plan, lake: models, publisher: askWorld.publisher })),
            ...(await followed).filter(({ pipeline }) => pipeline === plan.name),
          ]),
        )
      ).flat()
    },
    askWorld,
    ask: (question) => ask(askWorld, question, runQuery),
    dashboards: kept,
    async drained(signal) {
      await hops.drained(signal)
      await followers.settled(signal)
    },
    collections: () => plans.flatMap(collectionsOf),
    stop,
  }
  if (options.schedule === true) alerts.watch(alertSources(platform))
  if (options.openGateway === false) return platform
  gateway = await startGateway({
    routes: plans.flatMap(ingestRoutes),
    appendPort: gatewayToLog({ log, state }),
    extraRoutes: options.routes?.(platform) ?? [],
    listen: { host: settings.host, port: settings.port },
    keys: access.keys.current,
    sessions: access.sessions,
    audit: access.audit,
    front: access.front,
    readiness: async () => (await platform.hops()).flatMap(notReady),
    onSurprise,
    meter,
    clock,
    randomness,
  })
  const { url } = gateway
  closers.push(() => gateway!.close())
  home.announce({
    url,
    ...(postgres === undefined ? {} : { postgresUrl: postgresName(postgres.config) }),
  })
  return platform
}
