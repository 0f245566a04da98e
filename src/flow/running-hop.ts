import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Log } from '../log/log.ts'
import type { Clock } from '../model/clock.ts'
import type { Cursor } from '../model/consumed.ts'
import { retryOf } from '../model/errors.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { queryPostgres } from '../serve/postgres/query.ts'
import { postgresSink } from '../serve/postgres/sink.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import type { StateStore } from '../state/state-store.ts'
import { type BatchReport, DEFAULT_HOP_LIMITS, Hop } from '../stream/hop.ts'
import type { HopState } from '../stream/hop-state.ts'
import type { TargetPort } from '../stream/ports.ts'
import type { LakeHome } from './lake-home.ts'
import { openPlannedTable, storedSteps } from './lake-table.ts'
import { logSource, type StartAt } from './log-source.ts'
import { lakeTarget } from './log-to-lake.ts'
import { serveTarget } from './log-to-serve.ts'
import { type PlannedHop, topicsReadBy } from './pipeline-hops.ts'
import { type JoinedReferences, stageBatches } from './stage-batches.ts'
import { upsertRows } from './upsert-rows.ts'

/**
 * Threads of the engine that hops share. Hops run side by side, and within each the next batch is decoded while one is written, so all
 * cores have work with one thread for each statement; with more, a statement's own thread spins while others finish its last
 * part, which costs a quarter of the time (bench stream).
 */
export const HOP_ENGINE_THREADS = 1

/** What hops are built from: one of each for the whole process. */
export interface HopWorld {
  readonly log: Log
  readonly state: StateStore
  readonly engine: ComputeEngine
  readonly lake: LakeHome
  /** Where PostgreSQL answers. */
  readonly postgres: PostgresConfig | undefined
  /** What a pipeline's joins read. */
  readonly references: (pipeline: string) => JoinedReferences | undefined
  readonly clock: Clock
  readonly chance: () => number
  readonly startAt: StartAt
  /** The log is one that others write to as well. */
  readonly logIsShared: boolean
  readonly batchRecordsMax: number
  readonly lakeIntervalMs: number
  readonly serveIntervalMs: number
  readonly onState: (pipeline: string, hop: string, state: HopState) => void
  readonly onBatch: (pipeline: string, hop: string, report: BatchReport) => void
}

/** A hop at work, with what the ledger wants to know of its target. */
export interface RunningHop {
  readonly pipeline: string
  readonly name: string
  readonly topics: readonly string[]
  readonly hop: Hop
  cursor(): Promise<Cursor>
  /** Between two batches: what the target holds is what the cursor says. */
  isAtRest(): boolean
  /** Rows in the target by its own count; `undefined` while it cannot be asked. */
  rowsFound(): Promise<number | undefined>
  stop(): Promise<void>
}

interface OpenTarget {
  readonly port: TargetPort
  rowsFound(): Promise<number | undefined>
  close(): Promise<void>
}

/** Build a hop over its source, stage and target, and start it. Trouble with the target is waited out by the hop itself. */
export function startHop(world: HopWorld, plan: PipelinePlan, planned: PlannedHop): RunningHop {
  const { log, state, engine, clock, chance, startAt, batchRecordsMax } = world
  const topic = plan.topics.find(({ name }) => name === planned.topic)!
  const topics = topicsReadBy(planned)
  const target =
    planned.kind === 'table' ? openLake(world, planned) : openServe(world, plan, planned)
  const references = world.references(plan.name)
  const hop = new Hop({
    pipeline: plan.name,
    name: planned.name,
    source: logSource({ log, topics, startAt }),
    stage: stageBatches({
      pipeline: plan.name,
      hop: planned.name,
      schema: topic.schema,
      steps: planned.kind === 'table' ? storedSteps(planned.table) : planned.serve.steps,
      engine,
      clock,
      strictJson: world.logIsShared,
      ...(references === undefined ? {} : { references }),
    }),
    target: target.port,
    deadLetters: state,
    clock,
    chance,
    limits: {
      ...DEFAULT_HOP_LIMITS,
      recordCountMax: batchRecordsMax,
      batchIntervalMs: planned.kind === 'table' ? world.lakeIntervalMs : world.serveIntervalMs,
    },
    onState: (now) => world.onState(plan.name, planned.name, now),
    onBatch: (report) => world.onBatch(plan.name, planned.name, report),
  })
  hop.start()
  return {
    pipeline: plan.name,
    name: planned.name,
    topics,
    hop,
    cursor: async () => (await hop.status()).cursor,
    isAtRest: () => hop.state.name === 'waiting',
    rowsFound: () => target.rowsFound().catch(unlessAway),
    async stop() {
      await hop.stop()
      await target.close()
    },
  }
}

function openLake(
  { lake, engine }: HopWorld,
  { table, replayTopic, ...hop }: PlannedHop & { readonly kind: 'table' },
): OpenTarget {
  const { key, partitionBy } = table
  const upsert =
    key === undefined
      ? undefined
      : upsertRows({ engine, key, partition: partitionBy?.as, replayTopic })
  const open = () => openPlannedTable(lake, table, upsert)
  return {
    port: lakeTarget({ hop: { ...hop, table, replayTopic }, open }),
    rowsFound: async () => (await (await (await open()).state()).size()).rows,
    close: async () => {},
  }
}

function openServe(
  { engine, postgres }: HopWorld,
  plan: PipelinePlan,
  hop: PlannedHop & { readonly kind: 'serve' },
): OpenTarget {
  const { target } = hop.serve
  const sink = postgresSink(postgres!, {
    table: target.table,
    columns: target.columns,
    migrations: readMigrations(target.migrations),
  })
  return {
    port: serveTarget({ pipeline: plan.name, hop, sink, engine }),
    async rowsFound() {
      const { rows } = await queryPostgres(postgres!, {
        sql: `SELECT count(*) FROM ${target.table}`,
      })
      return Number(rows[0]![0])
    },
    close: () => sink.close(),
  }
}

/** A target that is away has no count to give; the hop's own state says that it is away. */
function unlessAway(error: unknown): undefined {
  if (retryOf(error) === 'later') return undefined
  throw error
}

/** The numbered `.sql` files of a folder, in the order of their names. */
export function readMigrations(folder: URL): { readonly name: string; readonly sql: string }[] {
  const at = fileURLToPath(folder)
  return readdirSync(at)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({ name, sql: readFileSync(path.join(at, name), 'utf8') }))
}
