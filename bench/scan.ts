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
/** Of each question, at least; short ones have as many rounds as fit into their share of the time. */
const ROUND_COUNT_MIN = 9

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
  async run({ folder, say, seconds }) {
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
      const ways = { ours: () => ours(question), byHand: () => byHand(question) }
      const taken = await askByTurns(question.name, ways, seconds / QUESTIONS.length)
      const of = (way: Way, what: keyof Taken) => median(taken[way].map((each) => each[what]))
      const { name } = question
      figures[`${name}Ms`] = rounded(of('ours', 'ms'), 1)
      figures[`${name}Ratio`] = rounded(of('ours', 'ms') / of('byHand', 'ms'), 2)
      figures[`${name}CpuRatio`] = rounded(mean(taken.ours) / mean(taken.byHand), 2)
      say(
        `${name}: ${of('ours', 'ms').toFixed(1)} ms, by hand ${of('byHand', 'ms').toFixed(1)} ms, in ${taken.ours.length} rounds; the first time ${taken.firstMs.ours.toFixed(1)} and ${taken.firstMs.byHand.toFixed(1)} ms`,
      )
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
        `${FILE_COUNT} files of ${ROWS_PER_FILE} rows; medians of at least ${ROUND_COUNT_MIN} rounds, in each of which the other way goes first, after one that is not counted. By hand all files are named and the condition is in the SQL; ours looks for a newer version, plans, compiles and asks. Counting reads no columns, so it shows what planning costs, and has no goal.`,
        'CPU ratios are of all threads, and means: a busy machine changes them less than it does the clock.',
      ],
    }
  },
}

type Way = 'ours' | 'byHand'

interface Taken {
  readonly ms: number
  /** Of all threads. */
  readonly cpuMs: number
}

const mean = (taken: readonly Taken[]) =>
  taken.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / taken.length

/** Both ways turn about, so that what else the machine does, and what the other leaves in caches, falls on both. */
async function askByTurns(
  name: string,
  ways: Readonly<Record<Way, () => Promise<unknown[][]>>>,
  seconds: number,
) {
  const taken = { ours: [] as Taken[], byHand: [] as Taken[] }
  const answers = new Set<string>()
  const asked = async (way: Way): Promise<Taken> => {
    const startMs = performance.now()
    const before = process.cpuUsage()
    const [row] = await ways[way]()
    const { user, system } = process.cpuUsage(before)
    const ms = performance.now() - startMs
    // Sums of floats differ in their last digits with the order of threads.
    answers.add(row!.map((cell) => (typeof cell === 'number' ? 0 : String(cell))).join())
    return { ms, cpuMs: (user + system) / 1_000 }
  }
  const firstMs = { ours: (await asked('ours')).ms, byHand: (await asked('byHand')).ms }
  const order: Way[] = ['byHand', 'ours']
  const endMs = performance.now() + seconds * 1_000
  for (let round = 0; round < ROUND_COUNT_MIN || performance.now() < endMs; round += 1) {
    for (const way of order) taken[way].push(await asked(way))
    order.reverse()
  }
  if (answers.size !== 1) throw new Error(`${name}: the answers differ`)
  return { ...taken, firstMs }
}
