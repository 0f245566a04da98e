import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import catalog from '../pipelines/catalog/pipeline.ts'
import { openLakeHome, tableKey } from '../src/flow/lake-home.ts'
import { storedColumns } from '../src/flow/lake-table.ts'
import { openModelLake } from '../src/flow/open-model-lake.ts'
import { modelTasks } from '../src/flow/run-model.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'

// A process of its own for `silver-merge.ts`, so that its memory is its own too.
//   node bench/silver-merge-child.ts build --folder F --entities N --changes M --memory MB
//   node bench/silver-merge-child.ts merge --folder F --memory MB
// Prints one line of JSON.

const ROWS_PER_COMMIT = 100_000
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: '.' },
    entities: { type: 'string', default: '1000000' },
    changes: { type: 'string', default: '100000' },
    memory: { type: 'string', default: '256' },
  },
})
mkdirSync(values.folder, { recursive: true })
const engine = await openComputeEngine({
  spillDirectory: path.join(values.folder, '.spill'),
  memoryLimitBytes: Number(values.memory) * 1024 * 1024,
  threads: 1,
})
const lake = await openLakeHome({
  folder: path.join(values.folder, 'lake'),
  engine,
  clock: systemClock,
  randomness: systemRandomness,
})
const bronze = catalog.tables[0]!
const startMs = performance.now()
let facts: object = {}
if (positionals[0] === 'build') {
  const entities = Number(values.entities)
  for (let from = 0; from < entities; from += ROWS_PER_COMMIT)
    await append(recordsSql({ from, count: Math.min(ROWS_PER_COMMIT, entities - from), step: 1 }))
  facts = await buildMovies()
  // One in ten of them, anywhere in the table, and one new for each hundred.
  const step = Math.max(1, Math.floor(entities / Number(values.changes)))
  await append(recordsSql({ from: 0, count: Number(values.changes), step, word: 'changed' }))
} else facts = await buildMovies()
const seconds = (performance.now() - startMs) / 1_000
lake.close()
engine.close()
const status = readFileSync('/proc/self/status', 'utf8')
const residentMb = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 'NaN') / 1024
const { user, system } = process.cpuUsage()
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6, residentMb, facts }))

interface Records {
  readonly from: number
  readonly count: number
  readonly step: number
  readonly word?: string
}

/** Movies of about a kilobyte each, with four cast members and two of the crew; columns as in bronze. */
function recordsSql({ from, count, step, word = 'old' }: Records): string {
  const at = word === 'old' ? '2026-01-01 00:00:00+00' : '2026-02-01 00:00:00+00'
  const text = (salt: string) => `md5('${word}${salt}' || id)`
  const credit = (letter: string, index: number) =>
    `'credit_id': '${letter}${index}-' || id, 'person_id': 1 + (id * ${index + 3}) % 300000`
  const casts = [0, 1, 2, 3].map(
    (i) =>
      `{${credit('c', i)}, 'cast_id': ${i}, 'character': ${text(`r${i}`)}, 'known_for_department': 'Acting'}`,
  )
  const crews = [0, 1].map(
    (i) =>
      `{${credit('w', i)}, 'department': 'Directing', 'job': 'Director', 'known_for_department': 'Directing'}`,
  )
  const detail = `{'id': id, 'title': 'Film ' || id, 'overview': ${text('a')} || ' ' || ${text('b')} || ' ' || ${text('c')}, 'popularity': id / 7.0,
    'release_date': '1999-03-30', 'vote_count': id % 1000, 'genres': [{'id': 28, 'name': 'Action'}], 'poster_path': '/' || ${text('p')}}`
  return `SELECT 'movie' AS data_type, '${word === 'old' ? 'old' : 'change'}' AS data_label, '${at}'::TIMESTAMPTZ AS "timestamp", id AS id_of_data_type,
    now() AS process_timestamp, 'tmdb-movies' AS _topic, 0::INTEGER AS _partition, id AS _offset, '${word}-' || id AS _id, id::VARCHAR AS _key,
    '${at}'::TIMESTAMPTZ AS _arrived_at, NULL::VARCHAR AS _headers,
    to_json({'movie_id': id, 'movie_detail': ${detail}, 'casts_info': [${casts}], 'crews_info': [${crews}]})::VARCHAR AS _raw
    FROM (SELECT (${from} + range * ${step} + 1)::BIGINT AS id FROM range(${count}))`
}

async function append(sql: string): Promise<void> {
  const columns = storedColumns(bronze)
  await createDeltaTable(lake.delta, tableKey(bronze.name), { columns })
  const table = await openDeltaTable(lake.delta, tableKey(bronze.name))
  const name = engine.relationName('records')
  const connection = await engine.connection()
  const named = columns.map((column) => `"${column.name}"`).join(', ')
  await connection.run(`CREATE TABLE ${name} AS SELECT ${named} FROM (${sql})`)
  const [[rowCount]] = (await connection.rows(`SELECT count(*)::INTEGER FROM ${name}`)) as [
    [number],
  ]
  await table.commitAppend(await table.prepareAppend({ name, columns, rowCount }))
  await connection.run(`DROP TABLE IF EXISTS ${name}`)
  connection.close()
}

/** The pipeline's own task. */
async function buildMovies(): Promise<Readonly<Record<string, unknown>>> {
  const world = { engine, lake: openModelLake(lake) } as never
  const task = (await modelTasks(world, catalog)).find(({ id }) => id === 'silver.movies')!
  const report = await task.run({
    ...{ runId: 'bench', logicalMs: Date.now(), attempt: 1, fullRefresh: false },
    ...{ signal: new AbortController().signal, log: () => {}, progress: () => {} },
  })
  return report.facts
}
