import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeadLetter } from '../model/dead-letter.ts'
import { messageOf } from '../model/errors.ts'
import { DAY_COLUMN, type DayFilesPlan } from '../pipeline/day-files.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine, EngineConnection } from '../sql/duckdb/engine.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { type StagedDay, stageDay } from '../sql/duckdb/stage-day.ts'
import type { StoredLetter } from '../state/letter-rows.ts'
import { compiledPlan } from './compiled-plans.ts'
import { type DayCounts, dayCountsOf, dayTransactions, filesConsumer } from './day-counts.ts'
import { unreadable } from './dead-lines.ts'
import { type FilesWorld, isDay, letterTopic } from './files-to-lake.ts'
import { tableKey } from './lake-home.ts'
import { type ReplayPreview, ReplayRefusedError, replayBytes } from './replay-preview.ts'

// The way back of a dead line of a day file: into its own day, and nowhere else. Comes in: a letter, mended perhaps. Goes out: one commit with the row, one line
// more in the day's counts, and a mark that this letter went: replayed again, it finds the mark. A line that repeats the id of a row of its day
// is a duplicate, as it would have been in the file. When the day is sent again, the row goes with the day.

/** The day files that a letter is a line of; `undefined` when it is none. */
export const filesOfLetter = (
  plan: PipelinePlan | undefined,
  { hop, topic }: Pick<StoredLetter, 'hop' | 'topic'>,
): DayFilesPlan | undefined =>
  plan?.files.find(({ name, table }) => table === hop && topic.startsWith(`${name}/`))

const dayOfLetter = ({ topic }: Pick<StoredLetter, 'topic'>) =>
  topic.slice(topic.lastIndexOf('/') + 1)

/** What would become of the line now. Nothing is changed. @throws SqlError when the pipeline's SELECT cannot run */
export async function previewLine(
  engine: ComputeEngine,
  files: DayFilesPlan,
  letter: StoredLetter,
): Promise<ReplayPreview> {
  const connection = await engine.connection()
  try {
    return await withLine(connection, files, letter, async (staged) => {
      const dead = deadOf(staged, files, replayBytes(letter))
      if (dead !== undefined) return { status: 'dead', ...dead }
      const result = await connection.run(`SELECT * FROM ${staged.relation.name}`)
      const [row] = await result.getRowObjectsJson()
      return { status: 'row', row: row! }
    })
  } finally {
    connection.close()
  }
}

/** Commits of others to the day's table are few; whoever loses looks again. */
const ATTEMPT_COUNT_MAX = 5

/**
 * Put the line into its day. Returns where it counts as a line, `files/day/load/index`: the same however often it is replayed.
 * @throws ReplayRefusedError when the day was sent again since, or the table cannot take it now
 */
export async function replayLine(
  world: Pick<FilesWorld, 'engine' | 'lakeHome' | 'state' | 'clock'>,
  { pipeline, files }: { readonly pipeline: string; readonly files: DayFilesPlan },
  letter: StoredLetter,
): Promise<string> {
  const table = await openDeltaTable(world.lakeHome.delta, tableKey(files.table))
  const consumer = filesConsumer(pipeline, files.name)
  const day = dayOfLetter(letter)
  const mark = `${consumer}/${day}/replayed/${letter.partition}.${letter.offset}`
  const connection = await world.engine.connection()
  try {
    return await withLine(connection, files, letter, async (staged) => {
      let trouble = ''
      for (let attempt = 1; attempt <= ATTEMPT_COUNT_MAX; attempt += 1) {
        const snapshot = await table.snapshot()
        const place = (index: number) =>
          `${letterTopic({ files, day })}/${letter.partition}/${index}`
        const gone = snapshot.transaction(mark)
        if (gone !== undefined) return place(gone)
        const before = dayCountsOf(consumer, snapshot.transactions()).find((of) => of.day === day)
        if (before === undefined || before.load !== letter.partition)
          throw new ReplayRefusedError(
            `The dead letter ${letter.id} is a line of a file for ${day} that has been replaced since, so that its day has other lines now. Nothing was changed.`,
          )
        const dead = deadOf(staged, files, replayBytes(letter))
        const plan = await snapshot.plan({ predicate: isDay(day) })
        const isRepeated =
          dead === undefined &&
          (await holdsId(connection, files, staged, await compiledPlan(plan, world.engine)))
        // A letter of a line that dies again, kept before it is counted.
        if (dead !== undefined)
          await world.state.record([
            { ...letterAgain(letter, before.lines), ...dead, arrivedMs: world.clock.nowMs() },
          ])
        const after: DayCounts = {
          ...before,
          lines: before.lines + 1,
          rows: before.rows + (dead === undefined && !isRepeated ? 1 : 0),
          duplicates: before.duplicates + (isRepeated ? 1 : 0),
          dead: before.dead + (dead === undefined ? 0 : 1),
        }
        const rows =
          after.rows > before.rows ? await table.prepareAppend(staged.relation) : undefined
        const outcome = await table.commitAppend(rows, {
          transactions: [
            ...dayTransactions(consumer, before, after),
            { appId: mark, version: before.lines, expected: null },
          ],
        })
        if (outcome.status === 'committed') return place(before.lines)
        trouble = outcome.status === 'conflict' ? outcome.message : messageOf(outcome.cause)
      }
      throw new ReplayRefusedError(
        `The dead letter ${letter.id} did not get into ${files.table}: ${trouble}. Try again: it goes once.`,
      )
    })
  } finally {
    connection.close()
  }
}

/** The same line, dead once more, at the place at which it is counted now. */
function letterAgain(letter: StoredLetter, index: number): DeadLetter {
  const { pipeline, hop, topic, partition, recordId, key, reason, message, headers, arrivedMs } =
    letter
  return {
    ...{ pipeline, hop, topic, partition, offset: index, recordId, key, reason, message },
    ...{ value: replayBytes(letter), headers, arrivedMs },
  }
}

function deadOf(
  { dead: [line], lineCount }: StagedDay,
  { reads }: DayFilesPlan,
  bytes: Uint8Array,
): { readonly reason: string; readonly message: string } | undefined {
  if (line === undefined && lineCount > 0) return undefined
  const judged = line === undefined || line.isEmpty ? unreadable(bytes) : undefined
  return (
    judged ?? {
      reason: line?.reason ?? 'missing_field',
      message: line?.message ?? `has none of the fields ${reads.join(', ')}`,
    }
  )
}

/** Whether a row of the day has the id of the staged one. */
async function holdsId(
  connection: EngineConnection,
  { id }: DayFilesPlan,
  { relation }: StagedDay,
  day: string,
): Promise<boolean> {
  if (id === undefined) return false
  const name = quoteIdentifier(id)
  const [row] = await connection.rows(
    `SELECT count(*) FROM (${day}) WHERE ${name} IN (SELECT ${name} FROM ${relation.name} WHERE ${name} IS NOT NULL)`,
  )
  return Number(row![0]) > 0
}

/** Stage the letter's bytes as a file of one line of its day. A row of Parquet has been kept as JSON. */
async function withLine<T>(
  connection: EngineConnection,
  files: DayFilesPlan,
  letter: StoredLetter,
  work: (staged: StagedDay) => Promise<T>,
): Promise<T> {
  if (files.format === 'parquet' && files.reads.some((name) => name.includes('.')))
    throw new ReplayRefusedError(
      `The dead letter ${letter.id} is a row of a Parquet file with nested fields, which cannot be put back alone. Correct the file and load it again: that replaces the day.`,
    )
  const folder = await mkdtemp(path.join(tmpdir(), 'mekong-line-'))
  try {
    const file = path.join(folder, 'line.json')
    // Line ends within JSON are between its values, where a space is as good.
    const line = Buffer.from(replayBytes(letter))
      .toString('latin1')
      .replaceAll(/[\r\n]/g, ' ')
    await writeFile(file, Buffer.from(`${line}\n`, 'latin1'))
    const { reads, columns, id, counted, sql } = files
    const staged = await stageDay(connection, {
      ...{ format: 'ndjson', paths: [file], day: dayOfLetter(letter), reads, columns, counted },
      ...{ dayColumn: DAY_COLUMN, oneThread: false, sql: await readFile(sql, 'utf8') },
      ...(id === undefined ? {} : { id }),
    })
    try {
      return await work(staged)
    } finally {
      await staged.release()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
