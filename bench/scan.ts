import path from 'node:path'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Columns } from '../src/model/column.ts'
import { compare, type Predicate } from '../src/model/predicate.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { compileScan } from '../src/sql/duckdb/scan-by-id.ts'
import { type Bench, median, rounded } from './bench.ts'

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'kind', type: 'int32', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
  { name: 'city', type: 'string', nullable: true },
]
const FILE_COUNT = 40
const ROWS_PER_FILE = 250_000
/** Both ways turn about, so that what else the machine does falls on both. */
const ROUND_COUNT = 9

interface Question {
  readonly name: string
  /** `FROM` what follows it is put in front of. */
  readonly sql: (from: string) => string
  readonly where?: string
  readonly predicate?: Predicate
}

const from = ROWS_PER_FILE * 17 + 1_000
const QUESTIONS: readonly Question[] = [
  { name: 'full', sql: (t) => `SELECT sum(id), sum(price), count(city), max(kind) FROM ${t}` },
  { name: 'count', sql: (t) => `SELECT count(*) FROM ${t}` },
  {
    name: 'range',
    sql: (t) => `SELECT sum(price), max(city) FROM ${t}`,
    where: `id >= ${from} AND id < ${from + 50_000}`,
    predicate: {
      kind: 'and',
      of: [
        compare(['id'], '>=', { type: 'int64', value: BigInt(from) }),
        compare(['id'], '<', { type: 'int64', value: BigInt(from + 50_000) }),
      ],
    },
  },
  {
    name: 'float',
    sql: (t) => `SELECT count(*), sum(id) FROM ${t}`,
    where: 'price > 0.999',
    predicate: compare(['price'], '>', { type: 'float64', value: 0.999 }),
  },
  {
    name: 'text',
    sql: (t) => `SELECT count(*), sum(price) FROM ${t}`,
    where: `city = 'city 77'`,
    predicate: compare(['city'], '=', { type: 'string', value: 'city 77' }),
  },
]

/** Questions to a Delta table, against DuckDB on the same files named by hand; planning counts as ours. */
export const scan: Bench = {
  name: 'scan',
  question: 'How long do full and filtered scans take, against DuckDB on the same Parquet files?',
  secondsDefault: 20,
  async run({ folder, say }) {
    const engine = await openComputeEngine({ spillDirectory: path.join(folder, '.spill') })
    const connection = await engine.connection()
    const world = { clock: systemClock, randomness: systemRandomness }
    const { delta: deps } = await openLakeHome({
      folder: path.join(folder, 'lake'),
      engine,
      ...world,
    })
    await createDeltaTable(deps, 'rows', { columns: COLUMNS })
    const table = await openDeltaTable(deps, 'rows')
    say(`making ${FILE_COUNT} files of ${ROWS_PER_FILE} rows`)
    for (let file = 0; file < FILE_COUNT; file += 1) {
      await connection.run(
        `CREATE OR REPLACE TABLE part AS SELECT range AS id, (range % 1000)::INTEGER AS kind, random() AS price, 'city ' || (range * 7 % 1000) AS city FROM range(${file * ROWS_PER_FILE}, ${(file + 1) * ROWS_PER_FILE})`,
      )
      const relation = { name: 'part', columns: COLUMNS, rowCount: ROWS_PER_FILE }
      await table.commitAppend(await table.prepareAppend(relation))
    }
    const all = await (await table.snapshot()).plan()
    const named = `read_parquet([${all.files.map(({ location }) => `'${location}'`).join(', ')}])`
    const ours = async ({ sql, predicate }: Question) => {
      const plan = await (await table.snapshot()).plan(predicate === undefined ? {} : { predicate })
      const rows = await compileScan(plan, (text) => connection.rows(text))
      return connection.rows(sql(`(${rows})`))
    }
    const byHand = ({ sql, where }: Question) =>
      connection.rows(`${sql(named)}${where === undefined ? '' : ` WHERE ${where}`}`)
    const figures: Record<string, number> = {}
    for (const question of QUESTIONS) {
      const taken = { ours: [] as number[], byHand: [] as number[] }
      const answers = new Set<string>()
      for (let round = 0; round < ROUND_COUNT; round += 1) {
        for (const [way, ask] of Object.entries({ ours, byHand })) {
          const startMs = performance.now()
          const [row] = await ask(question)
          taken[way as 'ours'].push(performance.now() - startMs)
          // Sums of floats differ in their last digits with the order of threads.
          answers.add(row!.map((cell) => (typeof cell === 'number' ? 0 : String(cell))).join())
        }
      }
      if (answers.size !== 1) throw new Error(`${question.name}: the answers differ`)
      const [oursMs, byHandMs] = [median(taken.ours), median(taken.byHand)]
      figures[`${question.name}Ms`] = rounded(oursMs, 1)
      figures[`${question.name}Ratio`] = rounded(oursMs / byHandMs, 2)
      say(`${question.name}: ${oursMs.toFixed(1)} ms, by hand ${byHandMs.toFixed(1)} ms`)
    }
    connection.close()
    engine.close()
    return {
      figures,
      goals: QUESTIONS.filter(({ name }) => name !== 'count').map(({ name }) => ({
        figure: `${name}Ratio`,
        atMost: 1.1,
      })),
      limits: [
        `${FILE_COUNT} files of ${ROWS_PER_FILE} rows; medians of ${ROUND_COUNT} rounds that take turns. By hand all files are named and the condition is in the SQL; ours looks for a newer version, plans, compiles and asks. Counting reads no columns, so it shows what planning costs, and has no goal.`,
      ],
    }
  },
}
