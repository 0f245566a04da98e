import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Columns } from '../src/model/column.ts'
import { compare } from '../src/model/predicate.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { compileScan } from '../src/sql/duckdb/scan-by-id.ts'

// A process of its own for `optimize.ts`, so that its memory, and what it reads, is its own too.
//   node bench/optimize-child.ts build --folder F --rows N --files M
//   node bench/optimize-child.ts pack|zorder|copy|sort|read --folder F --table T --memory MB
// Prints one line of JSON.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'user', type: 'int64', nullable: true },
  { name: 'product', type: 'int64', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
  { name: 'note', type: 'string', nullable: true },
]
/** Neither goes with the order in which rows came, so that at first every file may hold every value. */
const LAID_BY = ['user', 'product']
const USER_COUNT = 100_000
const PRODUCT_COUNT = 20_000
/** Of files laid along the curve: with one file there would be nothing to pass over but row groups. */
const FILE_BYTES_TARGET = 16 * 1024 ** 2
/** Values that are asked for, each alone. */
const VALUE_COUNT = 5

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: '.' },
    table: { type: 'string', default: 'base' },
    rows: { type: 'string', default: '4000000' },
    files: { type: 'string', default: '200' },
    memory: { type: 'string', default: '300' },
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
const works: Record<string, () => Promise<object>> = {
  build,
  read,
  pack: () => measured(async (table) => void (await table.optimize())),
  zorder: () =>
    measured(
      async (table) =>
        void (await table.optimize({ zOrderBy: LAID_BY, fileBytesTarget: FILE_BYTES_TARGET })),
    ),
  copy: () => measured((table) => copied(table, '')),
  sort: () => measured((table) => copied(table, ` ORDER BY ${LAID_BY.join(', ')}`)),
}
const answer = await works[positionals[0]!]!()
connection.close()
engine.close()
console.log(JSON.stringify(answer))

async function build() {
  const [rowCount, fileCount] = [Number(values.rows), Number(values.files)]
  await createDeltaTable(deps, values.table, { columns: COLUMNS })
  const table = await openDeltaTable(deps, values.table)
  const each = Math.ceil(rowCount / fileCount)
  for (let file = 0; file < fileCount; file += 1) {
    await connection.run(
      `CREATE OR REPLACE TABLE part AS SELECT range AS id, (hash(range) % ${USER_COUNT})::BIGINT AS user, (hash(range + 1000000007) % ${PRODUCT_COUNT})::BIGINT AS product, random() AS price, md5(range::VARCHAR) AS note FROM range(${file * each}, ${(file + 1) * each})`,
    )
    const relation = { name: 'part', columns: COLUMNS, rowCount: each }
    await table.commitAppend(await table.prepareAppend(relation))
  }
  const { bytes, fileCount: files } = await table.snapshot()
  return { bytes, files }
}

type Table = Awaited<ReturnType<typeof openDeltaTable>>

/** Time, processor time of all threads, and the process's memory at its highest. */
async function measured(work: (table: Table) => Promise<void>) {
  const table = await openDeltaTable(deps, values.table)
  const startMs = performance.now()
  const before = process.cpuUsage()
  await work(table)
  const seconds = (performance.now() - startMs) / 1000
  const { user, system } = process.cpuUsage(before)
  const status = readFileSync('/proc/self/status', 'utf8')
  const residentMb = Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 'NaN') / 1024
  return { seconds, cpuSeconds: (user + system) / 1e6, residentMb }
}

/** What an engine alone would do with the same files. */
async function copied(table: Table, order: string): Promise<void> {
  const { files } = await (await table.snapshot()).plan()
  const named = files.map(({ location }) => `'${location}'`).join(', ')
  const target = path.join(values.folder, 'copied.parquet')
  await connection.run(
    `COPY (FROM read_parquet([${named}])${order}) TO '${target}' (FORMAT parquet, COMPRESSION zstd)`,
  )
}

/** What rows of one value cost to read: files that the plan names, and bytes that the process takes from files for plan and query. */
async function read() {
  const table = await openDeltaTable(deps, values.table)
  const found: Record<string, { files: number; mb: number; ms: number }> = {}
  for (const name of LAID_BY) {
    const taken = { files: 0, bytes: 0, ms: 0 }
    for (let index = 0; index < VALUE_COUNT; index += 1) {
      const value = BigInt(index * 3_301 + 17)
      const before = bytesRead()
      const startMs = performance.now()
      const plan = await (await table.snapshot()).plan({
        predicate: compare([name], '=', { type: 'int64', value }),
      })
      const rows = await compileScan(plan, (sql) => connection.rows(sql))
      await connection.rows(`SELECT count(*), sum(price), max(note) FROM (${rows})`)
      taken.ms += performance.now() - startMs
      taken.bytes += bytesRead() - before
      taken.files += plan.files.length
    }
    found[name] = {
      files: taken.files / VALUE_COUNT,
      mb: taken.bytes / VALUE_COUNT / 1e6,
      ms: taken.ms / VALUE_COUNT,
    }
  }
  return found
}

/** By `read` and its like, from the disk or from the system's cache alike. */
function bytesRead(): number {
  return Number(/rchar: (\d+)/.exec(readFileSync('/proc/self/io', 'utf8'))?.[1] ?? 'NaN')
}
