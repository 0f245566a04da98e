import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Columns } from '../src/model/column.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'

// A process of its own for `merge.ts`, so that its memory is its own too.
//   node bench/merge-child.ts build --folder F --rows N
//   node bench/merge-child.ts merge --folder F --table T --source FILE --memory MB
// Prints one line of JSON.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'key', type: 'string', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'a', type: 'float64', nullable: true },
  { name: 'b', type: 'float64', nullable: true },
  { name: 'note', type: 'string', nullable: true },
]
/** About 125 bytes a row that no codec makes much smaller. */
const rowsSql = (from: number, count: number, salt: string) =>
  `SELECT (${from} + range)::BIGINT AS id, md5('${salt}' || (${from} + range)) AS key,
   make_timestamptz(1704067200000000 + (${from} + range) * 1000) AS at, random() AS a, random() AS b,
   md5('${salt}a' || range) || md5('${salt}b' || range) || md5('${salt}c' || range) || left(md5('d' || range), 16) AS note FROM range(${count})`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: '.' },
    table: { type: 'string', default: 'base' },
    rows: { type: 'string', default: '8000000' },
    source: { type: 'string', default: '' },
    memory: { type: 'string', default: '300' },
    vectors: { type: 'boolean', default: false },
  },
})
const engine = await openComputeEngine({
  spillDirectory: path.join(values.folder, '.spill'),
  memoryLimitBytes: Number(values.memory) * 1024 * 1024,
})
const { delta: deps } = await openLakeHome({
  folder: values.folder,
  engine,
  clock: systemClock,
  randomness: systemRandomness,
})
const connection = await engine.connection()
let answer: object
if (positionals[0] === 'build') answer = await build(Number(values.rows))
else answer = await merge()
connection.close()
engine.close()
console.log(JSON.stringify(answer))

async function build(rowCount: number) {
  mkdirSync(values.folder, { recursive: true })
  const properties = {
    'delta.parquet.compression.codec': 'snappy',
    ...(values.vectors ? { 'delta.enableDeletionVectors': 'true' } : {}),
  }
  await createDeltaTable(deps, values.table, { columns: COLUMNS, properties })
  const table = await openDeltaTable(deps, values.table)
  const step = Math.ceil(rowCount / 8)
  for (let from = 0; from < rowCount; from += step) {
    const count = Math.min(step, rowCount - from)
    await connection.run(`CREATE OR REPLACE TABLE part AS ${rowsSql(from, count, '')}`)
    const relation = { name: 'part', columns: COLUMNS, rowCount: count }
    await table.commitAppend(await table.prepareAppend(relation))
  }
  for (const count of [1_000, 100_000]) {
    // Nine of ten are there already, anywhere in the table.
    const ids = `SELECT DISTINCT (random() * ${rowCount} * 1.1)::BIGINT AS id FROM range(${Math.ceil(count * 1.1)}) LIMIT ${count}`
    await connection.run(
      `COPY (SELECT ids.id, md5('new' || ids.id) AS key, now() AS at, 0.5::DOUBLE AS a, 0.25::DOUBLE AS b, 'merged' AS note FROM (${ids}) ids) ` +
        `TO '${values.folder}/source-${count}.parquet' (FORMAT parquet)`,
    )
  }
  return { bytes: (await table.snapshot()).bytes }
}

async function merge() {
  const table = await openDeltaTable(deps, values.table)
  await connection.run(`CREATE TABLE source AS SELECT * FROM '${values.source}'`)
  const [[rowCount]] = (await connection.rows('SELECT count(*)::INTEGER FROM source')) as [[number]]
  const startMs = performance.now()
  const before = process.cpuUsage()
  const outcome = await table.merge({
    source: { name: 'source', columns: COLUMNS, rowCount },
    on: { keys: ['id'] },
    clauses: [
      { when: 'matched', do: 'update' },
      { when: 'not_matched', do: 'insert' },
    ],
  })
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(before)
  const status = readFileSync('/proc/self/status', 'utf8')
  const residentMb = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 'NaN') / 1024
  return { seconds, cpuSeconds: (user + system) / 1e6, residentMb, outcome }
}
