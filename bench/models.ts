import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { openLakeHome } from '../src/flow/lake-home.ts'
import type { NewModelTable } from '../src/flow/model-lake.ts'
import { openModelLake } from '../src/flow/open-model-lake.ts'
import { modelTasks } from '../src/flow/run-model.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Relation } from '../src/model/relation.ts'
import { merge, partitions } from '../src/pipeline/materialization.ts'
import { pipeline } from '../src/pipeline/pipeline.ts'
import { type ComputeEngine, openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { openModelSession } from '../src/sql/models/model-session.ts'
import { type Bench, median, rounded } from './bench.ts'
import { measureDbt } from './models-dbt.ts'
import { daysSql, eventsSql, silverSql } from './models-sql.ts'

const ROW_COUNT = 10_000_000
/** An hour of events is a hundredth of what is there. */
const INCREMENT_SHARE = 100
const DAY_COUNT = 100
const HOURS = 3

/** Models over a big table, carried on by an hour of events; dbt does the same beside. */
export const models: Bench = {
  name: 'models',
  question:
    'Does an hour of 100,000 events into 10 million cost what the hour costs, and how long does dbt-duckdb take?',
  secondsDefault: 300,
  async run({ folder, say, rows = ROW_COUNT }) {
    const increment = Math.round(rows / INCREMENT_SHARE)
    const small = await ours(path.join(folder, 'small'), { rows: rows / 4, increment, say })
    const full = await ours(path.join(folder, 'full'), { rows, increment, say })
    const theirs = await measureDbt(path.join(folder, 'dbt'), {
      ...{ rows, increment, hours: HOURS, perDay: rows / DAY_COUNT, say },
    })
    const figures = {
      rowCount: rows,
      incrementRowCount: increment,
      firstBuildSeconds: rounded(full.buildSeconds, 1),
      hourSeconds: rounded(full.hourSeconds, 2),
      hourIntoQuarterSeconds: rounded(small.hourSeconds, 2),
      hourGrowthRatio: rounded(full.hourSeconds / small.hourSeconds, 2),
      hourShareOfBuild: rounded(full.hourSeconds / full.buildSeconds, 3),
      dbtFirstBuildSeconds: theirs === undefined ? null : rounded(theirs.buildSeconds, 1),
      dbtHourSeconds: theirs === undefined ? null : rounded(theirs.hourSeconds, 2),
      dbtHourModelsSeconds: theirs === undefined ? null : rounded(theirs.hourModelsSeconds, 2),
      ratioToDbt: theirs === undefined ? null : rounded(full.hourSeconds / theirs.hourSeconds, 2),
    }
    return {
      figures,
      goals: [
        { figure: 'hourGrowthRatio', atMost: 1.5 },
        { figure: 'ratioToDbt', atMost: 1 },
      ],
      limits: [
        'Two models: events by id with derived columns (rows that are there stay), and sums by user and day for the days touched. The growth ratio compares the same hour into a quarter of the rows.',
        'Ours are Delta tables, committed and fsynced; those of dbt are tables inside one DuckDB file.',
        theirs === undefined
          ? 'dbt is not there: npm run services -- dbt fetches it.'
          : 'dbtHourSeconds is all of `dbt run`, with its own start; dbtHourModelsSeconds is what it says of the models alone.',
      ],
    }
  },
}

async function ours(
  folder: string,
  { rows, increment, say }: { rows: number; increment: number; say: (line: string) => void },
) {
  mkdirSync(folder, { recursive: true })
  const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'spill') })
  const home = await openLakeHome({
    ...{ folder: path.join(folder, 'lake'), engine },
    ...{ clock: systemClock, randomness: systemRandomness },
  })
  const lake = openModelLake(home)
  const tasks = await modelTasks({ engine, lake }, PLAN)
  const perDay = Math.round(rows / DAY_COUNT)
  const add = (from: number, count: number) =>
    withRows(engine, eventsSql(from, count, perDay), async (relation) => {
      const { columns } = relation
      const table =
        (await lake.open('bronze.events')) ?? (await lake.create({ ...SOURCE, columns }))
      await table.write({ kind: 'append', rows: relation }, [], new AbortController().signal)
    })
  const run = async () => {
    const startMs = performance.now()
    for (const task of tasks)
      await task.run({
        ...{ runId: 'bench', logicalMs: Date.now(), attempt: 1, fullRefresh: false },
        ...{ signal: new AbortController().signal, log: () => {}, progress: () => {} },
      })
    return (performance.now() - startMs) / 1000
  }
  try {
    for (let part = 0; part < 8; part += 1) await add((part * rows) / 8, rows / 8)
    const buildSeconds = await run()
    const hours: number[] = []
    for (let hour = 0; hour < HOURS; hour += 1) {
      await add(rows + hour * increment, increment)
      hours.push(await run())
    }
    say(
      `${rows} rows: built in ${buildSeconds.toFixed(1)} s, an hour in ${hours.map((s) => s.toFixed(2)).join(', ')} s`,
    )
    return { buildSeconds, hourSeconds: median(hours) }
  } finally {
    home.close()
    engine.close()
  }
}

const SOURCE: Omit<NewModelTable, 'columns'> = {
  ...{ name: 'bronze.events', partitionBy: [], properties: {} },
  format: 'delta',
}

const PLAN = pipeline('bench', (p) => {
  p.model('silver.events', silverSql('incoming'), {
    incoming: 'bronze.events',
    materialize: merge({ key: ['event_id'], whenMatched: 'keep' }),
    partitionBy: ['event_date'],
  })
  p.model('gold.user_days', daysSql('silver.events'), {
    incoming: 'silver.events',
    materialize: partitions({
      by: ['event_date'],
      reads: { 'silver.events': { event_date: 'event_date' } },
    }),
  })
})

async function withRows<T>(
  engine: ComputeEngine,
  sql: string,
  work: (relation: Relation) => Promise<T>,
): Promise<T> {
  const session = await openModelSession(engine, { runTimeMs: Date.now() })
  try {
    return await work(await session.rows('events', sql))
  } finally {
    await session.close()
  }
}
