import { spawn } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import { openComputeEngine } from '../src/sql/duckdb/engine.ts'
import { ensureToolset } from '../test/services.ts'
import { type Bench, type BenchContext, median, rounded } from './bench.ts'
import { bytesIn, contentPaths, writeContentFiles } from './ott/content-files.ts'

// Thirty days of viewing logs as JSON into typed Delta tables and one profile a contract, against DuckDB used by hand and against PySpark on the same files.
// The three take turns, so that what else the machine does falls on all of them.

const ROWS_DEFAULT = 4_800_000
const DAYS = 30
const MEMORY_MB = 2_000
/** 1.9 million contracts for 1.6 million lines a day. */
const CONTRACTS_PER_ROW = 1.9 / 1.6
const TURN_COUNT = 2

interface ProfileRun {
  readonly lines: number
  readonly total_s: number
  readonly cpu_s: number
  readonly peak_mb: number
}

export const ott: Bench = {
  name: 'ott',
  question: 'How fast do 30 days of viewing logs become tables and a profile (--rows N)?',
  secondsDefault: 300,
  async run({ folder, say, rows = ROWS_DEFAULT }) {
    const files = path.join(folder, 'files')
    const rowsPerDay = Math.round(rows / DAYS)
    await makeFiles(folder, files, { days: DAYS, rowsPerDay }, 1, say)
    const gigabytes = bytesIn(contentPaths(files)) / 1e9
    const turns: Record<'ours' | 'bare' | 'answer', ProfileRun[]> = {
      ours: [],
      bare: [],
      answer: [],
    }
    for (let turn = 0; turn < TURN_COUNT; turn += 1) {
      turns.ours.push(await child(folder, 'ott/profile-child.ts', files, say))
      turns.bare.push(await child(folder, 'ott/bare-child.ts', files, say))
      turns.answer.push(await child(folder, 'ott/bare-child.ts', files, say, 'answer'))
    }
    const sparkSeconds = await spark(folder, files, say)
    const middle = (of: readonly ProfileRun[], pick: (run: ProfileRun) => number) =>
      median(of.map(pick))
    const ours = middle(turns.ours, (run) => run.total_s)
    return {
      figures: {
        rows: turns.ours[0]!.lines,
        json_gb: rounded(gigabytes, 2),
        seconds: rounded(ours, 1),
        rows_per_s: Math.round(turns.ours[0]!.lines / ours),
        ratio_to_bare_duckdb: rounded(ours / middle(turns.bare, (run) => run.total_s), 2),
        cpu_ratio_to_bare_duckdb: rounded(
          middle(turns.ours, (run) => run.cpu_s) / middle(turns.bare, (run) => run.cpu_s),
          2,
        ),
        ratio_to_bare_answer_only: rounded(ours / middle(turns.answer, (run) => run.total_s), 2),
        peak_mb: Math.round(Math.max(...turns.ours.map((run) => run.peak_mb))),
        pyspark_seconds: sparkSeconds === null ? null : rounded(sparkSeconds, 1),
        times_faster_than_pyspark: sparkSeconds === null ? null : rounded(sparkSeconds / ours, 1),
      },
      goals: [
        { figure: 'ratio_to_bare_duckdb', atMost: 1.25 },
        { figure: 'peak_mb', atMost: 4_096 },
        { figure: 'times_faster_than_pyspark', atLeast: 5 },
      ],
      limits: [
        'Bare DuckDB types the same SQL and keeps what we keep: each day as Parquet without repeated ids, and the profile; the answer-only figure keeps nothing and looks for no repeats.',
        'PySpark local[2] reads the same files with a schema, and writes the profile alone; its start is not counted.',
        `Everything may use ${MEMORY_MB} MB of engine memory. Files under 64 MB are read on one thread (a bug of DuckDB's), so small runs flatter nobody.`,
      ],
    }
  },
}

export const ottIncrement: Bench = {
  name: 'ott-increment',
  question: 'What does one more day cost, against all 30 (--rows N)?',
  secondsDefault: 120,
  async run({ folder, say, rows = ROWS_DEFAULT }) {
    const files = path.join(folder, 'files')
    const rowsPerDay = Math.round(rows / DAYS)
    await makeFiles(folder, files, { days: DAYS, rowsPerDay }, 1, say)
    const full = await child(folder, 'ott/profile-child.ts', files, say, 'keep')
    await makeFiles(folder, files, { days: 1, rowsPerDay }, DAYS + 1, say)
    const increment = await child(folder, 'ott/profile-child.ts', files, say, 'keep')
    return {
      figures: {
        rows: full.lines,
        full_seconds: rounded(full.total_s, 2),
        increment_seconds: rounded(increment.total_s, 2),
        increment_share: rounded(increment.total_s / full.total_s, 3),
        cpu_increment_share: rounded(increment.cpu_s / full.cpu_s, 3),
      },
      goals: [{ figure: 'increment_share', atMost: 0.05 }],
      limits: [
        'The day that comes is loaded and the window moves on by it; each run is a process of its own and pays for its start.',
      ],
    }
  },
}

async function makeFiles(
  folder: string,
  files: string,
  { days, rowsPerDay }: { readonly days: number; readonly rowsPerDay: number },
  firstDay: number,
  say: BenchContext['say'],
): Promise<void> {
  say(`writing ${days} days of ${rowsPerDay.toLocaleString('en')} lines`)
  const engine = await openComputeEngine({ spillDirectory: path.join(folder, 'made') })
  const contracts = Math.max(1, Math.round(rowsPerDay * CONTRACTS_PER_ROW))
  try {
    await writeContentFiles(engine, { folder: files, days, rowsPerDay, contracts }, firstDay)
  } finally {
    engine.close()
  }
}

/** One of the contestants in a process of its own; with `keep` it goes on where the last one ended. */
async function child(
  folder: string,
  program: string,
  files: string,
  say: BenchContext['say'],
  mode = '',
): Promise<ProfileRun> {
  const home = path.join(folder, 'home')
  if (mode !== 'keep') rmSync(home, { recursive: true, force: true })
  mkdirSync(home, { recursive: true })
  const args = [path.join(import.meta.dirname, program), home, files, String(MEMORY_MB), mode]
  const result = JSON.parse(await outputOf(process.execPath, args)) as ProfileRun
  say(
    `${program} ${mode}: ${result.total_s.toFixed(1)} s, ${result.cpu_s.toFixed(1)} s of processor`,
  )
  return result
}

async function spark(
  folder: string,
  files: string,
  say: BenchContext['say'],
): Promise<number | null> {
  const tools = await ensureToolset('spark')
  if ('skip' in tools) return null
  const program = path.join(import.meta.dirname, 'ott/profile_spark.py')
  const args = [program, files, path.join(folder, 'spark-profile')]
  const line = await outputOf(tools.environment.MEKONG_SPARK_PYTHON!, args, tools.environment)
  const { seconds } = JSON.parse(line) as { seconds: number }
  say(`PySpark: ${seconds.toFixed(1)} s`)
  return seconds
}

/** The last line that a program says. */
function outputOf(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const process_ = spawn(file, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let out = ''
    let err = ''
    process_.stdout.on('data', (chunk) => {
      out += chunk
    })
    process_.stderr.on('data', (chunk) => {
      err += chunk
    })
    process_.once('error', reject)
    process_.once('close', (code) => {
      const line = out.trim().split('\n').at(-1)
      if (code === 0 && line) resolve(line)
      else reject(new Error(`${path.basename(args[0]!)} ended with ${code}: ${err.slice(-2_000)}`))
    })
  })
}
