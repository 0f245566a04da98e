import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { openLakeHome } from '../src/flow/lake-home.ts'
import { createDeltaTable } from '../src/lake/delta/create.ts'
import { openDeltaTable } from '../src/lake/delta/table.ts'
import { systemClock, systemRandomness } from '../src/model/clock.ts'
import type { Columns } from '../src/model/column.ts'
import { compare } from '../src/model/predicate.ts'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'

// A process of its own for `snapshot.ts`, so that its memory is its own too.
//   node bench/snapshot-child.ts build --folder F --commits N --files M
//   node bench/snapshot-child.ts read --folder F
//   node bench/snapshot-child.ts append --folder F --seconds S
// Prints one line of JSON.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'at', type: 'timestamp', nullable: true },
  { name: 'city', type: 'string', nullable: true },
  { name: 'price', type: 'float64', nullable: true },
  { name: 'day', type: 'date', nullable: true },
]
const ROWS_PER_FILE = 1_000

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folder: { type: 'string', default: '.' },
    commits: { type: 'string', default: '10000' },
    files: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '5' },
  },
})
const startMs = performance.now()
const engine = await openComputeEngine({
  spillDirectory: path.join(values.folder, '.spill'),
  memoryLimitBytes: (positionals[0] === 'build' ? 1024 : 128) * 1024 ** 2,
})
const { delta: deps } = await openLakeHome({
  folder: path.join(values.folder, 'lake'),
  engine,
  clock: systemClock,
  randomness: systemRandomness,
})
const works: Record<string, () => Promise<object>> = { build, read, append }
console.log(JSON.stringify(await works[positionals[0]!]!()))
engine.close()

/** The log alone: planning reads no data files. */
async function build() {
  const commitCount = Number(values.commits)
  const filesPerCommit = Number(values.files) / commitCount
  await createDeltaTable(deps, 'big', { columns: COLUMNS, partitionBy: ['day'] })
  const log = path.join(values.folder, 'lake', 'big', '_delta_log')
  for (let version = 1; version <= commitCount; version += 1) {
    const name = `${String(version).padStart(20, '0')}.json`
    writeFileSync(path.join(log, name), commitText(version, filesPerCommit))
  }
  const table = await openDeltaTable(deps, 'big')
  return { version: await table.checkpoint() }
}

function commitText(version: number, fileCount: number): string {
  const timestamp = 1_760_000_000_000 + version * 1000
  const lines: object[] = [{ commitInfo: { timestamp, operation: 'WRITE' } }]
  for (let index = 0; index < fileCount; index += 1) {
    const number = (version - 1) * fileCount + index
    const [low, high] = [number * ROWS_PER_FILE, number * ROWS_PER_FILE + ROWS_PER_FILE - 1]
    const day = new Date(Date.UTC(2025, 0, 1 + (version % 365))).toISOString().slice(0, 10)
    const at = (id: number) => new Date(1_700_000_000_000 + id * 10).toISOString()
    const stats = {
      numRecords: ROWS_PER_FILE,
      minValues: { id: low, at: at(low), city: 'Can Tho', price: 0.5 },
      maxValues: { id: high, at: at(high), city: 'Vinh', price: 99.5 },
      nullCount: { id: 0, at: 0, city: 0, price: 0 },
    }
    lines.push({
      add: {
        path: `day=${day}/part-00000-${number.toString(16).padStart(32, '0')}.c000.mekong.zstd.parquet`,
        partitionValues: { day },
        size: 34_567,
        modificationTime: timestamp,
        dataChange: true,
        stats: JSON.stringify(stats),
      },
    })
  }
  return lines.map((line) => `${JSON.stringify(line)}\n`).join('')
}

async function read() {
  const openMs = performance.now() - startMs
  const opened = performance.now()
  const openedCpu = process.cpuUsage()
  const table = await openDeltaTable(deps, 'big')
  const snapshot = await table.snapshot()
  const snapshotMs = performance.now() - opened
  const snapshotCpuMs = cpuMsSince(openedCpu)
  const snapshotMb = residentPeakMb()
  const plan = async (id: number) => {
    const from = performance.now()
    const fromCpu = process.cpuUsage()
    const { files } = await snapshot.plan({
      predicate: compare(['id'], '=', { type: 'int64', value: BigInt(id) }),
    })
    return { ms: performance.now() - from, cpuMs: cpuMsSince(fromCpu), files: files.length }
  }
  const first = await plan(12_345_678)
  const later = []
  for (let index = 0; index < 5; index += 1) later.push((await plan(index * 1_000_003)).ms)
  return {
    ...{ openMs, snapshotMs, snapshotMb, firstPlanMs: first.ms, plannedFiles: first.files },
    ...{ snapshotCpuMs, firstPlanCpuMs: first.cpuMs },
    ...{ laterPlanMs: later.toSorted((a, b) => a - b)[2], files: snapshot.fileCount },
    residentMb: residentPeakMb(),
  }
}

/** One writer, a thousand rows a commit, checkpoints among them. */
async function append() {
  mkdirSync(values.folder, { recursive: true })
  await createDeltaTable(deps, 'small', { columns: COLUMNS })
  const table = await openDeltaTable(deps, 'small')
  const connection = await engine.connection()
  await connection.run(
    `CREATE TABLE rows AS SELECT range AS id, now() AS at, 'Hue' AS city, random() AS price, current_date AS day FROM range(1000)`,
  )
  const relation = { name: 'rows', columns: COLUMNS, rowCount: 1000 }
  const from = performance.now()
  let commits = 0
  while (performance.now() - from < Number(values.seconds) * 1000) {
    const outcome = await table.commitAppend(await table.prepareAppend(relation))
    if (outcome.status !== 'committed') throw new Error(`a lone writer met ${outcome.status}`)
    commits += 1
  }
  const seconds = (performance.now() - from) / 1000
  connection.close()
  return { commitsPerSecond: commits / seconds, commits }
}

/** Of all threads. */
function cpuMsSince(before: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1_000
}

function residentPeakMb(): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/VmHWM:\s*(\d+)/.exec(status)?.[1] ?? 'NaN') / 1024
}
