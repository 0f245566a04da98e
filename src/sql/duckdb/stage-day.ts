import type { Columns } from '../../model/column.ts'
import type { Relation } from '../../model/relation.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier, quotePath, quoteText } from './quote-identifier.ts'
import { withoutPatterns } from './remote-files.ts'
import { duckdbType } from './type-mapping.ts'

// The files of one day become one typed relation here, in one pass over their bytes: DuckDB reads, the pipeline's SELECT types, and what is left are three cheap
// looks at the result: what is dead, what comes twice, what should be reported by value. Rows keep the order of the lines, so that a
// row's number is its place in the files.

export interface DaySource {
  readonly format: 'ndjson' | 'parquet'
  /** Local paths, in the order in which their lines are numbered. */
  readonly paths: readonly string[]
  /** `YYYY-MM-DD` */
  readonly day: string
  /** Names, or paths into objects, read as text. */
  readonly reads: readonly string[]
  /** The pipeline's SELECT over `lines`. */
  readonly sql: string
  readonly columns: Columns
  readonly id?: string
  readonly counted: readonly string[]
  readonly dayColumn: string
  /**
   * Read on one thread. DuckDB 1.5 loses the order of lines when several threads read a file that fits into one of its buffers (32 MiB) and does
   * not end in a line feed: the last line may come first.
   */
  readonly oneThread: boolean
}

export interface StagedDay {
  /** `columns` and the day. */
  readonly relation: Relation
  /** Lines that are not blank, or rows of Parquet. */
  readonly lineCount: number
  readonly duplicateCount: number
  /** In the order of the lines. */
  readonly dead: readonly DeadLine[]
  readonly counts: Readonly<Record<string, readonly ValueCount[]>>
  release(): Promise<void>
}

/** A line that is not kept. */
export interface DeadLine {
  /** From 0, over all files of the day. */
  readonly index: number
  /** None of its columns has a value, so that perhaps it could not be read at all. */
  readonly isEmpty: boolean
  readonly reason: string | undefined
  readonly message: string | undefined
}

export interface ValueCount {
  readonly value: string
  readonly count: number
}

/** Values beyond the most frequent ones say nothing more to a person. */
const COUNTED_VALUES_MAX = 50

/**
 * Read, type and sort out one day. The connection's engine must keep the order of rows, and do nothing else meanwhile.
 * @throws SqlError when the SELECT cannot run or lacks a column; EngineIoError when a file cannot be read
 */
export async function stageDay(
  connection: EngineConnection,
  source: DaySource,
  signal?: AbortSignal,
): Promise<StagedDay> {
  const { engine } = connection
  const lines = quoteIdentifier(engine.relationName('lines'))
  const rows = engine.relationName('day_rows')
  const run = async (sql: string) => (await connection.run(sql, { signal })).getRows()
  const release = async () => {
    await connection.run(`DROP VIEW IF EXISTS ${quoteIdentifier(rows)}`)
    await connection.run(`DROP TABLE IF EXISTS ${lines}`)
  }
  try {
    // The setting is the whole engine's: `stageDay` has it to itself.
    await run(`SET GLOBAL threads = ${source.oneThread ? 1 : engine.threads}`)
    await run(`CREATE TABLE ${lines} AS ${await typedSql(connection, source, signal)}`)
    await run(`SET GLOBAL threads = ${engine.threads}`)
    const [[lineCount] = []] = await run(`SELECT count(*) FROM ${lines}`)
    const isEmpty = nothingKept(source.columns)
    const counts: Record<string, readonly ValueCount[]> = {}
    for (const name of source.counted) {
      const column = quoteIdentifier(name)
      counts[name] = await countValues(run, lines, column, isEmpty)
    }
    const dead = await takeDead(run, lines, isEmpty)
    const duplicateCount = source.id === undefined ? 0 : await takeDuplicates(run, lines, source.id)
    const names = source.columns.map(({ name }) => quoteIdentifier(name)).join(', ')
    const day = `DATE ${quoteText(source.day)} AS ${quoteIdentifier(source.dayColumn)}`
    await run(`CREATE VIEW ${quoteIdentifier(rows)} AS SELECT ${names}, ${day} FROM ${lines}`)
    return {
      relation: {
        name: rows,
        columns: [...source.columns, { name: source.dayColumn, type: 'date', nullable: true }],
        rowCount: Number(lineCount) - dead.length - duplicateCount,
      },
      lineCount: Number(lineCount),
      duplicateCount,
      dead,
      counts,
      release,
    }
  } catch (error) {
    await release()
    throw error
  }
}

type Run = (sql: string) => Promise<readonly (readonly unknown[])[]>

const nothingKept = (columns: Columns) =>
  `(${columns.map(({ name }) => `${quoteIdentifier(name)} IS NULL`).join(' AND ')})`

/** Lines that nothing could be read of have no values to speak of. */
async function countValues(
  run: Run,
  lines: string,
  column: string,
  isEmpty: string,
): Promise<readonly ValueCount[]> {
  const rows = await run(
    `SELECT ${column}, count(*) FROM ${lines} WHERE ${column} IS NOT NULL AND NOT ${isEmpty} ` +
      `GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ${COUNTED_VALUES_MAX}`,
  )
  return rows.map(([value, count]) => ({ value: String(value), count: Number(count) }))
}

/** Dead lines are named and removed. */
async function takeDead(run: Run, lines: string, isEmpty: string): Promise<readonly DeadLine[]> {
  const isDead = `dead_reason IS NOT NULL OR ${isEmpty}`
  const rows = await run(
    `SELECT rowid, ${isEmpty}, dead_reason, dead_message FROM ${lines} WHERE ${isDead} ORDER BY rowid`,
  )
  if (rows.length > 0) await run(`DELETE FROM ${lines} WHERE ${isDead}`)
  const text = (cell: unknown) => (cell === null ? undefined : String(cell))
  return rows.map(([index, isEmpty, reason, message]) => ({
    index: Number(index),
    isEmpty: isEmpty === true,
    reason: text(reason),
    message: text(message),
  }))
}

/**
 * The first line with an id stays. Hashes find the few ids that may come twice, in a fraction of the time that comparing all of them takes;
 * only those are compared.
 */
async function takeDuplicates(run: Run, lines: string, id: string): Promise<number> {
  const name = quoteIdentifier(id)
  const repeated = `SELECT h FROM (SELECT hash(${name}) AS h FROM ${lines} WHERE ${name} IS NOT NULL) GROUP BY h HAVING count(*) > 1`
  const [[count] = []] = await run(`SELECT count(*) FROM (${repeated})`)
  if (Number(count) === 0) return 0
  const [[removed] = []] = await run(
    `DELETE FROM ${lines} WHERE rowid IN (SELECT r FROM (SELECT rowid AS r, ` +
      `row_number() OVER (PARTITION BY ${name} ORDER BY rowid) AS n FROM ${lines} ` +
      `WHERE ${name} IS NOT NULL AND hash(${name}) IN (${repeated})) WHERE n > 1)`,
  )
  return Number(removed)
}

/** The pipeline's SELECT over the day's lines, with the declared types. */
async function typedSql(
  connection: EngineConnection,
  source: DaySource,
  signal: AbortSignal | undefined,
): Promise<string> {
  const kept = source.columns.map(({ name, type }) => {
    const column = quoteIdentifier(name)
    return `CAST(${column} AS ${duckdbType(type)}) AS ${column}`
  })
  const texts = [...DEAD_NAMES, ...source.counted].map((name) => {
    const column = quoteIdentifier(name)
    return `CAST(${column} AS VARCHAR) AS ${column}`
  })
  const day = `DATE ${quoteText(source.day)} AS ${quoteIdentifier(source.dayColumn)}`
  const from =
    source.format === 'ndjson' ? jsonSql(source) : await parquetSql(connection, source, signal)
  return (
    `WITH lines AS NOT MATERIALIZED (SELECT *, ${day} FROM ${from}) ` +
    `SELECT ${[...kept, ...texts].join(', ')} FROM (\n${statementOf(source.sql)}\n)`
  )
}

const DEAD_NAMES = ['dead_reason', 'dead_message']

/** Without the semicolon that editors like at the end. */
const statementOf = (sql: string) => sql.trim().replace(/;\s*$/, '')

/** Every scalar is read as the text it is written as, so that nothing is lost by a type that does not fit. A line that is no JSON object has nulls throughout. */
function jsonSql({ paths, reads }: DaySource): string {
  const columns = [...fieldTree(reads)].map(
    ([name, inside]) => `${quoteText(name)}: ${quoteText(fieldType(inside))}`,
  )
  return (
    `read_json(${pathList(paths)}, format='newline_delimited', ignore_errors=true, ` +
    `columns={${columns.join(', ')}})`
  )
}

interface FieldTree extends Map<string, FieldTree> {}

function fieldTree(reads: readonly string[]): FieldTree {
  const tree: FieldTree = new Map()
  for (const path of reads) {
    let at = tree
    for (const name of path.split('.')) {
      const next: FieldTree = at.get(name) ?? new Map()
      at.set(name, next)
      at = next
    }
  }
  return tree
}

function fieldType(tree: FieldTree): string {
  if (tree.size === 0) return 'VARCHAR'
  const parts = [...tree].map(([name, inside]) => `${quoteIdentifier(name)} ${fieldType(inside)}`)
  return `STRUCT(${parts.join(', ')})`
}

/** Only what the files have can be read of them; the rest is null. */
async function parquetSql(
  connection: EngineConnection,
  { paths, reads }: DaySource,
  signal: AbortSignal | undefined,
): Promise<string> {
  const from = `read_parquet(${pathList(paths)}, union_by_name=true, hive_partitioning=false)`
  const described = await connection.rows(`DESCRIBE SELECT * FROM ${from}`, signal)
  const known = new Set(described.map(([name]) => String(name)))
  const cells = reads.map((path) => {
    const names = path.split('.')
    const cell = known.has(names[0]!) ? `CAST(${quotePath(names)} AS VARCHAR)` : 'NULL::VARCHAR'
    return `${cell} AS ${quoteIdentifier(path)}`
  })
  return `(SELECT ${cells.join(', ')} FROM ${from})`
}

/** Paths as a list; none of their characters is a pattern. */
export const pathList = (paths: readonly string[]): string =>
  `[${paths.map((file) => quoteText(withoutPatterns(file))).join(', ')}]`
