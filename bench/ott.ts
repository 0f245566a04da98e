import { rmSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { type Bench, median, rounded } from './bench.ts'
import { bytesIn, contentPaths } from './ott/content-files.ts'
import {
  bare,
  firstDays,
  MEMORY_MB,
  ours,
  type Place,
  type ProfileRun,
  pyspark,
  writeDays,
} from './ott/contestants.ts'

// Thirty days of viewing logs as JSON into typed Delta tables and one profile a contract, against DuckDB used by hand and against PySpark on the same files.
// They take turns, so that what else the machine does falls on all of them.

const ROWS_DEFAULT = 4_800_000
const DAYS = 30
const TURN_COUNT = 2
/** PySpark, and we beside it, get whole days up to so many lines: ten times as long is long enough. */
const SPARK_ROWS_MAX = 8_000_000
/** A line takes 175 bytes, its row with us 25, with the other who keeps it 25. */
const BYTES_PER_ROW = 225
/** Of the disk's room, since others write too. */
const ROOM_SHARE = 0.8

export const ott: Bench = {
  name: 'ott',
  question: 'How fast do 30 days of viewing logs become tables and a profile (--rows N)?',
  secondsDefault: 300,
  async run({ folder, say, rows: asked = ROWS_DEFAULT, times = TURN_COUNT, withSpark }) {
    const place = { folder, files: path.join(folder, 'files'), say }
    const rows = Math.min(asked, rowsOfRoom(folder))
    const rowsPerDay = Math.round(rows / DAYS)
    if (rows < asked) say(`the disk has room for ${rows.toLocaleString('en')} lines only`)
    await writeDays(place, { first: 1, count: DAYS, rowsPerDay })
    const gigabytes = bytesIn(contentPaths(place.files)) / 1e9
    const turns: Record<Turn, ProfileRun[]> = { ours: [], bare: [], answer: [], increment: [] }
    for (let turn = 0; turn < times; turn += 1) {
      turns.ours.push(await ours(place))
      turns.increment.push(await increment(place, rowsPerDay))
      turns.bare.push(await bare(place))
      turns.answer.push(await bare(place, 'answer'))
    }
    const share = withSpark ? await besideSpark(place, rowsPerDay) : null
    const middle = (turn: Turn, figure: 'total_s' | 'cpu_s') =>
      median(turns[turn].map((run) => run[figure]))
    const ratio = (a: Turn, b: Turn, figure: 'total_s' | 'cpu_s', digits = 2) =>
      rounded(middle(a, figure) / middle(b, figure), digits)
    const { lines } = turns.ours[0]!
    const seconds = middle('ours', 'total_s')
    return {
      figures: {
        rows: lines,
        json_gb: rounded(gigabytes, 2),
        seconds: rounded(seconds, 1),
        cpu_seconds: rounded(middle('ours', 'cpu_s'), 1),
        rows_per_s: Math.round(lines / seconds),
        ratio_to_bare_duckdb: ratio('ours', 'bare', 'total_s'),
        cpu_ratio_to_bare_duckdb: ratio('ours', 'bare', 'cpu_s'),
        ratio_to_bare_answer_only: ratio('ours', 'answer', 'total_s'),
        peak_mb: Math.round(Math.max(...turns.ours.map((run) => run.peak_mb))),
        increment_share: ratio('increment', 'ours', 'total_s', 3),
        cpu_increment_share: ratio('increment', 'ours', 'cpu_s', 3),
        pyspark_rows: share?.lines ?? null,
        pyspark_seconds: share && rounded(share.sparkSeconds, 1),
        times_faster_than_pyspark: share && rounded(share.sparkSeconds / share.seconds, 1),
      },
      goals: [
        { figure: 'ratio_to_bare_duckdb', atMost: 1.25 },
        { figure: 'peak_mb', atMost: 4_096 },
        { figure: 'increment_share', atMost: INCREMENT_SHARE_MAX },
        { figure: 'times_faster_than_pyspark', atLeast: 5 },
      ],
      limits: [
        'Bare DuckDB types the same SQL and keeps what we keep: each day as Parquet without repeated ids, and the profile; the answer-only figure keeps nothing and looks for no repeats.',
        `PySpark local[2] reads the same files with a schema, and writes the profile alone; its start is not counted. It gets whole days up to ${SPARK_ROWS_MAX.toLocaleString('en')} lines, and is compared with us on the same days.`,
        `Everything may use ${MEMORY_MB} MB of engine memory. Files under 64 MB are read on one thread (a bug of DuckDB's), so small runs flatter nobody.`,
        ...(rows < asked ? ['Fewer lines than asked for: the disk is short.'] : []),
      ],
    }
  },
}

type Turn = 'ours' | 'bare' | 'answer' | 'increment'

const INCREMENT_SHARE_MAX = 0.05

export const ottIncrement: Bench = {
  name: 'ott-increment',
  question: 'What does one more day cost, against all 30 (--rows N)?',
  secondsDefault: 120,
  async run({ folder, say, rows = ROWS_DEFAULT, times = 1 }) {
    const place = { folder, files: path.join(folder, 'files'), say }
    const rowsPerDay = Math.round(rows / DAYS)
    await writeDays(place, { first: 1, count: DAYS, rowsPerDay })
    const full: ProfileRun[] = []
    const more: ProfileRun[] = []
    for (let turn = 0; turn < times; turn += 1) {
      full.push(await ours(place))
      more.push(await increment(place, rowsPerDay))
    }
    const middle = (runs: readonly ProfileRun[], figure: 'total_s' | 'cpu_s') =>
      median(runs.map((run) => run[figure]))
    return {
      figures: {
        rows: full[0]!.lines,
        full_seconds: rounded(middle(full, 'total_s'), 2),
        increment_seconds: rounded(middle(more, 'total_s'), 2),
        increment_share: rounded(middle(more, 'total_s') / middle(full, 'total_s'), 3),
        full_cpu_seconds: rounded(middle(full, 'cpu_s'), 2),
        increment_cpu_seconds: rounded(middle(more, 'cpu_s'), 2),
        cpu_increment_share: rounded(middle(more, 'cpu_s') / middle(full, 'cpu_s'), 3),
      },
      goals: [{ figure: 'increment_share', atMost: INCREMENT_SHARE_MAX }],
      limits: [
        'The day that comes is loaded and the window moves on by it; each run is a process of its own and pays for its start.',
      ],
    }
  },
}

/** One day more in the home that is there; its file is gone afterwards, so that others get the same files as before. */
async function increment(place: Place, rowsPerDay: number): Promise<ProfileRun> {
  const before = new Set(contentPaths(place.files))
  await writeDays(place, { first: DAYS + 1, count: 1, rowsPerDay })
  const run = await ours(place, 'keep')
  for (const file of contentPaths(place.files)) if (!before.has(file)) rmSync(file)
  return run
}

/** PySpark and we on the first days. */
async function besideSpark(place: Place, rowsPerDay: number) {
  const days = Math.min(DAYS, Math.max(1, Math.floor(SPARK_ROWS_MAX / rowsPerDay)))
  const part = { ...place, files: firstDays(place, days) }
  const { lines, total_s: seconds } = await ours(part)
  const sparkSeconds = await pyspark(part)
  return sparkSeconds === null ? null : { lines, seconds, sparkSeconds }
}

function rowsOfRoom(folder: string): number {
  const { bavail, bsize } = statfsSync(folder)
  return Math.floor((bavail * bsize * ROOM_SHARE) / BYTES_PER_ROW)
}
