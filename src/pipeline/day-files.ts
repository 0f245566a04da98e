import type { Columns } from '../model/column.ts'
import { columnsOf, type FieldMap, type RecordSchema } from '../model/schema.ts'

/** How `p.files` is written: day files straight into a lake table, without going through a topic. */
export interface DayFilesOptions<Fields extends FieldMap = FieldMap> {
  /** One line for `mekong load`, when it does not know a file. */
  readonly description: string
  /**
   * Which files, told from the end of their path with `/` between folders. The named group `day` is the day that every row of the file
   * belongs to, as `YYYYMMDD` or `YYYY-MM-DD`.
   */
  readonly matches: RegExp
  /** `ndjson`: one JSON object a line, plain, gzip or zstd. `parquet`: all files of a day together. */
  readonly format: 'ndjson' | 'parquet'
  /**
   * What is read of each line: names, or paths into objects such as `_source.Contract`. Everything else is passed over unread. The values are
   * text, and null where a line has none.
   */
  readonly reads: readonly string[]
  /** `layer.name` of a Delta table, laid by day in a column `event_date`. */
  readonly table: string
  readonly columns: RecordSchema<Fields>
  /**
   * A file with one SELECT over the relation `lines`: one row for each line, in their order, so no join, grouping or sorting. It yields `columns`,
   * those of `counted`, and `dead_reason` and `dead_message`: a line with a reason becomes a dead letter. So does one of which no column is kept.
   */
  readonly sql: URL
  /** Column that names a record: its second appearance on one day is a duplicate. Null is nobody's name. */
  readonly id?: keyof Fields & string
  /** Text columns of the SELECT that are not kept: their values are counted and reported, null is nothing to report. */
  readonly counted?: readonly string[]
}

/** Day files of a pipeline, as planned. */
export interface DayFilesPlan {
  /** kebab-case, unique within the pipeline. */
  readonly name: string
  readonly description: string
  readonly matches: RegExp
  readonly format: 'ndjson' | 'parquet'
  readonly reads: readonly string[]
  readonly table: string
  readonly columns: Columns
  readonly sql: URL
  readonly id?: string
  readonly counted: readonly string[]
}

/** The column by which tables of day files are laid: the day that the file's name says. */
export const DAY_COLUMN = 'event_date'

/** Columns that the SELECT may yield besides its own, and their meaning. */
export const DEAD_COLUMNS = ['dead_reason', 'dead_message'] as const

export function dayFilesPlan<const Fields extends FieldMap>(
  name: string,
  { columns, counted = [], id, ...options }: DayFilesOptions<Fields>,
): DayFilesPlan {
  return {
    name,
    ...options,
    columns: columnsOf(columns),
    counted,
    ...(id === undefined ? {} : { id }),
  }
}

type Report = (where: string, what: string, fix: string) => void

const FIELD_PATH = /^[^."\0]+(\.[^."\0]+)*$/

/** What only day files can get wrong; names of tables and columns are checked with all others. */
export function checkDayFiles(files: DayFilesPlan, report: Report): void {
  const where = `files ${files.name}`
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(files.name))
    report(where, 'is no name', 'Use kebab-case, such as "content"')
  if (!files.matches.source.includes('(?<day>'))
    report(where, 'cannot tell the day from the name of a file', 'Give `matches` a group (?<day>…)')
  if (files.reads.length === 0) report(where, 'reads nothing', 'Name at least one field in `reads`')
  for (const path of files.reads)
    if (!FIELD_PATH.test(path))
      report(where, `reads "${path}", which is no path`, 'Use names with dots between them')
  const stored = files.columns.map(({ name }) => name)
  if (files.id !== undefined && !stored.includes(files.id))
    report(
      where,
      `names "${files.id}" as its id, which it does not keep`,
      `It keeps ${stored.join(', ')}`,
    )
  const own = [DAY_COLUMN, ...DEAD_COLUMNS]
  for (const name of [...stored, ...files.counted])
    if (own.includes(name.toLowerCase()))
      report(where, `has a column "${name}", which is the platform's own`, 'Rename it')
  for (const name of files.counted)
    if (stored.includes(name) || !/^[a-z][a-z0-9_]*$/.test(name))
      report(
        where,
        `counts "${name}", which is kept too or no name`,
        'Use another name in snake_case',
      )
}
