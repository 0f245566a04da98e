import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import userEvents from '../pipelines/user-events/pipeline.ts'
import { HOP_ENGINE_THREADS } from '../src/flow/running-hop.ts'
import type { Log } from '../src/log/log.ts'
import { type PostgresConfig, postgresConfigFromVariables } from '../src/serve/postgres/config.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { ensureService } from '../test/services.ts'
import { type Bench, type BenchContext, median, rounded } from './bench.ts'
import { fillLog } from './filled-log.ts'
import { carryBacklog, type HopRun, SETTINGS } from './hop-run.ts'
import { copyWithPsql, type PsqlTarget, psql, userEventsDdl, writeRowsCsv } from './psql-copy.ts'
import { EVENT_BYTES } from './user-event.ts'

// A backlog in the embedded log is carried into Delta, and another one into PostgreSQL, by the hops that the platform runs and
// with its default settings. Each run begins with an empty table and ends when the last commit is visible.

const LAKE_ROUNDS = 3
const COPY_ROUNDS = 3
const EVENTS_PER_SECOND_OF_BENCH = 25_000

export const stream: Bench = {
  name: 'stream',
  question: 'How fast does a backlog go into Delta, and into PostgreSQL against psql’s \\copy?',
  secondsDefault: 80,
  async run(context) {
    const { folder, seconds } = context
    const eventCount = Math.round(seconds * EVENTS_PER_SECOND_OF_BENCH)
    const engine = await openComputeEngine({
      spillDirectory: path.join(folder, 'spill'),
      memoryLimitBytes: (SETTINGS.memoryMb * 1024 * 1024) / 2,
      threads: HOP_ENGINE_THREADS,
    })
    const plan = userEvents
    try {
      const log = await filled(context, 'lake-log', eventCount)
      const rates = await measureLake(context, { log, plan, engine, eventCount })
      await log.close()
      const rowCount = Math.round(eventCount / 8)
      const copy = await measureCopy(context, { plan, engine, eventCount: rowCount })
      return {
        figures: { events_per_s: rounded(median(rates)), events: eventCount, ...copy.figures },
        goals: [
          { figure: 'events_per_s', atLeast: 500_000 },
          { figure: 'copy_ratio', atMost: 1.3 },
        ],
        limits: [
          `${EVENT_BYTES}-byte JSON events, ${SETTINGS.batchRecordsMax.toLocaleString('en')} records a batch at most; medians of ${LAKE_ROUNDS} and ${COPY_ROUNDS} runs.`,
          'Into Delta: two statements of DuckDB decode while another compresses Parquet; every row also keeps its original bytes.',
          ...copy.limits,
        ],
      }
    } finally {
      engine.close()
    }
  },
}

type Backlog = Omit<HopRun, 'hop' | 'folder' | 'log'>

async function filled({ folder, say }: BenchContext, name: string, eventCount: number) {
  const startMs = performance.now()
  const log = await fillLog({ file: path.join(folder, name), plan: userEvents, eventCount })
  const perSecond = eventCount / ((performance.now() - startMs) / 1000)
  say(`filled the log with ${eventCount} events, ${rounded(perSecond)} a second`)
  return log
}

async function measureLake({ folder, say }: BenchContext, run: Backlog & { readonly log: Log }) {
  const rates: number[] = []
  for (let round = 0; round < LAKE_ROUNDS; round += 1) {
    const own = path.join(folder, `lake-${round}`)
    mkdirSync(own)
    const tookMs = await carryBacklog({ ...run, hop: 'bronze.user_events', folder: own })
    rmSync(own, { recursive: true })
    rates.push(run.eventCount / (tookMs / 1000))
    say(`into Delta: ${rounded(rates.at(-1)!)} events/s`)
  }
  return rates
}

/** Both into the same empty database, by turns. */
async function measureCopy(context: BenchContext, run: Backlog) {
  const { folder, say } = context
  const server = await ensureService('postgres')
  if ('skip' in server)
    return {
      figures: { copy_ratio: null },
      limits: [`copy_ratio was not measured: ${server.skip}`],
    }
  const found = postgresConfigFromVariables(server.environment)
  if (found.status !== 'resolved') throw new Error('The server does not say how it is reached.')
  const database = `bench_stream_${process.pid}`
  const config: PostgresConfig = { ...found.config, database }
  const admin: PsqlTarget = { ...found.config, password: found.config.password!.reveal() }
  const target = { ...admin, database }
  const file = path.join(folder, 'rows.csv')
  await writeRowsCsv(file, run.eventCount)
  const log = await filled(context, 'serve-log', run.eventCount)
  const empty = async () => {
    await psql(admin, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
    await psql(admin, `CREATE DATABASE ${database}`)
    await psql(admin, 'CHECKPOINT')
  }
  const rounds: { ours: number; theirs: number }[] = []
  try {
    for (let round = 0; round < COPY_ROUNDS; round += 1) {
      await empty()
      await psql(target, userEventsDdl())
      const theirs = await copyWithPsql(target, file)
      await empty()
      const own = path.join(folder, `serve-${round}`)
      mkdirSync(own)
      const job = { ...run, log, folder: own, postgres: config }
      const ours = await carryBacklog({ ...job, hop: 'postgres.user_events' })
      rounds.push({ ours, theirs })
      say(
        `into PostgreSQL: ${rounded(ours)} ms, psql ${rounded(theirs)} ms (${rounded(ours / theirs, 2)})`,
      )
    }
  } finally {
    await log.close()
    await psql(admin, `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
  }
  const perSecond = (ms: readonly number[]) => rounded(run.eventCount / (median(ms) / 1000))
  return {
    figures: {
      copy_ratio: rounded(median(rounds.map(({ ours, theirs }) => ours / theirs)), 3),
      copy_rows: run.eventCount,
      postgres_rows_per_s: perSecond(rounds.map(({ ours }) => ours)),
      psql_copy_rows_per_s: perSecond(rounds.map(({ theirs }) => theirs)),
    },
    limits: [
      'Into PostgreSQL: the server keeps a primary key and seven indexes up to date, in one process; that is most of the time for both.',
      'psql’s time is without making the table; ours includes it, connecting, and reading and checking JSON.',
    ],
  }
}
