import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createDeltaTable } from '../lake/delta/create.ts'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import type { Clock } from '../model/clock.ts'
import type { Columns } from '../model/column.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { messageOf, retryOf } from '../model/errors.ts'
import { compare } from '../model/predicate.ts'
import { DAY_COLUMN, type DayFilesPlan } from '../pipeline/day-files.ts'
import type { ComputeEngine, EngineConnection } from '../sql/duckdb/engine.ts'
import { type StagedDay, stageDay, type ValueCount } from '../sql/duckdb/stage-day.ts'
import type { StateStore } from '../state/state-store.ts'
import { type DayCounts, dayCountsOf, dayTransactions, filesConsumer } from './day-counts.ts'
import type { DayUnit } from './day-unit.ts'
import { deadLines } from './dead-lines.ts'
import { type LakeHome, tableKey } from './lake-home.ts'

// Day files into the lake. Comes in: the files of some days. Goes out: typed rows in a Delta table laid by day, dead letters for the lines that cannot be
// rows, and a count of everything. A day's rows, and what is known of the day (which files, how many lines, rows, duplicates, dead), are one commit: a day that
// is there is not loaded again, and one that comes with other files replaces its rows at once. After a crash a day is there or not; dead letters
// recorded for a day that was not committed are recorded again under the same names. Nothing is kept in between.

export interface FilesWorld {
  /** Nobody else's: a day is read with the order of rows kept; see `stageDay`. */
  readonly engine: ComputeEngine
  readonly lakeHome: LakeHome
  readonly state: Pick<StateStore, 'record' | 'drop' | 'list'>
  readonly clock: Clock
}

export interface LoadDaysOptions {
  readonly pipeline: string
  readonly units: readonly DayUnit[]
  readonly signal: AbortSignal
  /** Told after each day. */
  readonly onDay?: (outcome: DayOutcome) => void
}

/** `failed`: the day is in the table as it was before, if it was; the others are not concerned. */
export type DayOutcome =
  | {
      readonly status: 'loaded' | 'replaced'
      readonly unit: DayUnit
      readonly counts: DayCounts
      /** What the pipeline wants to be told, by name. */
      readonly values: Readonly<Record<string, readonly ValueCount[]>>
    }
  | { readonly status: 'unchanged'; readonly unit: DayUnit; readonly counts: DayCounts }
  | { readonly status: 'failed'; readonly unit: DayUnit; readonly message: string }

/** Others who load the same day at once are rare; whoever loses looks again. */
const ATTEMPT_COUNT_MAX = 3

/** Load days one after another, each on its own: one that fails does not stop the others. */
export async function loadDays(
  world: FilesWorld,
  { pipeline, units, signal, onDay }: LoadDaysOptions,
): Promise<readonly DayOutcome[]> {
  const outcomes: DayOutcome[] = []
  const tables = new Map<string, DeltaTable>()
  for (const unit of units) {
    signal.throwIfAborted()
    const { table: name } = unit.files
    const table = tables.get(name) ?? (await openDayTable(world.lakeHome.delta, unit.files))
    tables.set(name, table)
    const outcome = await loadDay(world, { pipeline, unit, table, signal })
    outcomes.push(outcome)
    onDay?.(outcome)
  }
  return outcomes
}

interface DayLoad {
  readonly pipeline: string
  readonly unit: DayUnit
  readonly table: DeltaTable
  readonly signal: AbortSignal
}

async function loadDay(world: FilesWorld, load: DayLoad): Promise<DayOutcome> {
  const { unit, signal } = load
  let trouble = ''
  for (let attempt = 1; attempt <= ATTEMPT_COUNT_MAX; attempt += 1) {
    try {
      const outcome = await tryDay(world, load)
      if (typeof outcome !== 'string') return outcome
      trouble = outcome
    } catch (error) {
      signal.throwIfAborted()
      trouble = messageOf(error)
      if (retryOf(error) !== 'later') break
    }
  }
  return { status: 'failed', unit, message: `${unit.files.name} of ${unit.day}: ${trouble}` }
}

/** The day's outcome, or why it has to be looked at again. */
async function tryDay(world: FilesWorld, load: DayLoad): Promise<DayOutcome | string> {
  const { pipeline, unit, table, signal } = load
  const { files, day, print } = unit
  const consumer = filesConsumer(pipeline, files.name)
  const known = dayCountsOf(consumer, (await table.snapshot({}, signal)).transactions())
  const before = known.find((counts) => counts.day === day)
  if (before?.print === print) return { status: 'unchanged', unit, counts: before }
  const connection = await world.engine.connection()
  try {
    await keepOrder(connection, true)
    const staged = await stageDay(connection, await sourceOf(unit), signal)
    try {
      const counts: DayCounts = {
        ...{ day, print, load: (before?.load ?? 0) + 1, lines: staged.lineCount },
        rows: staged.relation.rowCount,
        duplicates: staged.duplicateCount,
        dead: staged.dead.length,
      }
      const letters = deadLines(connection, { unit, dead: staged.dead, signal })
      await recordLetters(world, { pipeline, unit, load: counts.load }, letters)
      await keepOrder(connection, false)
      const transactions = dayTransactions(consumer, before, counts)
      const trouble = await commitDay(table, { staged, day, before, transactions }, signal)
      if (trouble !== undefined) return trouble
      if (before !== undefined) await dropLettersBefore(world, pipeline, unit, counts.load)
      const status = before === undefined ? 'loaded' : 'replaced'
      return { status, unit, counts, values: staged.counts }
    } finally {
      await staged.release()
    }
  } finally {
    await keepOrder(connection, false)
    connection.close()
  }
}

/** Rows have their order while lines are numbered; files are written without, since DuckDB keeps row groups to a size only then. */
const keepOrder = (connection: EngineConnection, isKept: boolean) =>
  connection.run(`SET GLOBAL preserve_insertion_order = ${isKept}`)

/** A file of at least so many bytes does not fit into one buffer of the engine, whatever its compression. See `DaySource.oneThread`. */
const LARGE_BYTES = 64 * 1024 * 1024

async function sourceOf({ files, paths, day, bytesMin }: DayUnit) {
  const { format, reads, columns, id, counted } = files
  return {
    ...{ format, paths, day, reads, columns, counted, dayColumn: DAY_COLUMN },
    oneThread: files.format === 'ndjson' && bytesMin < LARGE_BYTES,
    sql: await readFile(files.sql, 'utf8'),
    ...(id === undefined ? {} : { id }),
  }
}

interface DayCommit {
  readonly staged: StagedDay
  readonly day: string
  readonly before: DayCounts | undefined
  readonly transactions: ReturnType<typeof dayTransactions>
}

/** Rows and counts visible in one step; `undefined` when they are. */
async function commitDay(
  table: DeltaTable,
  { staged, day, before, transactions }: DayCommit,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { relation } = staged
  const append = async () => {
    const prepared = await table.prepareAppend(relation, {}, signal)
    return table.commitAppend(prepared, { transactions }, signal)
  }
  const replace = async () => {
    const outcome = await table.overwrite(relation, { where: isDay(day), transactions }, signal)
    // No row went and none came; that the day was looked at has to be known all the same.
    return outcome.status === 'unchanged'
      ? table.commitAppend(undefined, { transactions }, signal)
      : outcome
  }
  const outcome = await (before === undefined ? append() : replace())
  if (outcome.status === 'committed') return undefined
  return outcome.status === 'conflict' ? outcome.message : messageOf(outcome.cause)
}

const DAY_MS = 86_400_000

/** The rows of one day, as a predicate that partition values decide. */
export const isDay = (day: string) =>
  compare([DAY_COLUMN], '=', {
    type: 'date',
    value: BigInt(Date.parse(`${day}T00:00:00Z`) / DAY_MS),
  })

/** The columns of a table of day files, as they are stored. */
export const dayTableColumns = ({ columns }: DayFilesPlan): Columns => [
  ...columns,
  { name: DAY_COLUMN, type: 'date', nullable: true, doc: 'Day that the name of the file says.' },
]

async function openDayTable(lake: DeltaDeps, files: DayFilesPlan): Promise<DeltaTable> {
  const location = tableKey(files.table)
  await createDeltaTable(lake, location, {
    name: files.table,
    description: files.description,
    columns: dayTableColumns(files),
    partitionBy: [DAY_COLUMN],
  })
  return openDeltaTable(lake, location)
}

/** Where the letters of a day are: the topic names it, the partition is the number of the load, the offset the index of the line. */
export const letterTopic = ({ files, day }: Pick<DayUnit, 'files' | 'day'>) =>
  `${files.name}/${day}`

const LETTERS_AT_ONCE = 1_000

type FoundLine = ReturnType<typeof deadLines> extends AsyncIterable<infer Line> ? Line : never

async function recordLetters(
  { state, clock }: FilesWorld,
  { pipeline, unit, load }: { pipeline: string; unit: DayUnit; load: number },
  lines: AsyncIterable<FoundLine>,
): Promise<void> {
  let letters: DeadLetter[] = []
  for await (const { index, file, lineNumber, reason, message, bytes } of lines) {
    letters.push({
      ...{ pipeline, hop: unit.files.table, topic: letterTopic(unit), partition: load },
      ...{ offset: index, recordId: `${path.basename(file)}:${lineNumber}`, key: null },
      ...{ reason, message, value: bytes, headers: { file, line: String(lineNumber) } },
      arrivedMs: clock.nowMs(),
    })
    if (letters.length < LETTERS_AT_ONCE) continue
    await state.record(letters)
    letters = []
  }
  if (letters.length > 0) await state.record(letters)
}

const LETTER_PAGE_SIZE = 10_000

/** What was wrong with files that have been replaced is of no concern any more; the letters are kept, as dropped. */
async function dropLettersBefore(
  { state }: FilesWorld,
  pipeline: string,
  unit: DayUnit,
  load: number,
): Promise<void> {
  for await (const letter of lettersOfTable(state, pipeline, unit.files.table)) {
    if (letter.topic !== letterTopic(unit) || letter.partition >= load) continue
    if (letter.status === 'open' || letter.status === 'fixed')
      await state.drop(letter.id, `${unit.day} was sent again`)
  }
}

/** Every letter of a table of day files. */
export async function* lettersOfTable(
  state: Pick<StateStore, 'list'>,
  pipeline: string,
  table: string,
) {
  for (let after: string | undefined; ; ) {
    const page = await state.list({
      ...{ pipeline, hop: table, limit: LETTER_PAGE_SIZE },
      ...(after === undefined ? {} : { after }),
    })
    yield* page
    after = page.at(-1)?.id
    if (page.length < LETTER_PAGE_SIZE) return
  }
}
