import type { ColumnType } from '../../model/column.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import type { ColumnBounds } from '../file-skipping.ts'
import type { FieldCell, ParquetField, ParquetPort } from '../parquet-port.ts'
import { BoundsColumn } from './bounds-column.ts'
import {
  boundsFromStats,
  boundsFromTokens,
  rowCountFromStats,
  type StatsColumn,
  type StatsTokens,
} from './file-bounds.ts'
import type { FileTable, StatsSource } from './file-table.ts'

/**
 * Statistics of a table's files, as far as anybody asked for them. Those of files from commits are text that is there
 * anyway; those of files from a checkpoint are many, and are fetched from it a column at a time and kept.
 */
export interface FileStatistics {
  /** A look-up of one column's bounds by row, to be made once and asked often. */
  boundsOf(column: StatsColumn): (row: number) => ColumnBounds | undefined
  /** `numRecords`; `undefined` when unknown or not fetched. */
  rowCountOf(row: number): number | undefined
}

/** Columns kept for each table. Queries come back to the same few. */
const KEPT_COLUMN_COUNT_MAX = 16

/**
 * Files since the checkpoint whose bounds are kept once they were read from their text, for each column: what several checkpoints' worth
 * of commits add, in a few megabytes. Those of later files are read for each plan.
 */
const READ_ROW_COUNT_MAX = 10_000

interface Kept {
  rowCounts: Float64Array | undefined
  /** By column, of files from the checkpoint. */
  readonly bounds: Map<string, BoundsColumn>
  /** By column, of files from commits; the first is that of `statsRowEnd`. `null` where statistics say nothing. */
  readonly read: Map<string, (ColumnBounds | null)[]>
}

const kept = new WeakMap<FileTable, Kept>()

export interface StatisticsReader {
  readonly store: ObjectStore
  readonly parquet: ParquetPort
}

/** Have the row counts and the bounds of some columns at hand. */
export async function loadStatistics(
  reader: StatisticsReader,
  table: FileTable,
  columns: readonly StatsColumn[],
  signal?: AbortSignal,
): Promise<FileStatistics> {
  const known = kept.get(table) ?? { rowCounts: undefined, bounds: new Map(), read: new Map() }
  kept.set(table, known)
  const wanted = new Map(columns.map((column) => [columnKey(column), column]))
  const missing = [...wanted].filter(([key]) => !known.bounds.has(key)).map(([, column]) => column)
  if (table.statsRowEnd > 0 && (known.rowCounts === undefined || missing.length > 0))
    await fetchStatistics(reader, table, missing, known, signal)
  for (const key of wanted.keys()) if (!known.read.has(key)) known.read.set(key, [])
  for (const columnsKept of [known.bounds, known.read])
    while (columnsKept.size > Math.max(KEPT_COLUMN_COUNT_MAX, wanted.size))
      columnsKept.delete(columnsKept.keys().next().value!)
  return knownStatistics(table)
}

/** What is at hand without fetching anything. */
export function knownStatistics(table: FileTable): FileStatistics {
  const known = kept.get(table)
  const { statsRowEnd } = table
  return {
    boundsOf(column) {
      const key = columnKey(column)
      const fetched = known?.bounds.get(key)
      const read = known?.read.get(key)
      return (row) => {
        if (row < statsRowEnd) return fetched?.at(row)
        const place = row - statsRowEnd
        const before = read?.[place]
        if (before !== undefined) return before ?? undefined
        const bounds = boundsFromStats(table.stats[row]!, column)
        if (read !== undefined && place < READ_ROW_COUNT_MAX) read[place] = bounds ?? null
        return bounds
      }
    },
    rowCountOf(row) {
      if (row >= statsRowEnd) return rowCountFromStats(table.stats[row]!)
      const count = known?.rowCounts?.[row]
      return count === undefined || Number.isNaN(count) ? undefined : count
    },
  }
}

const columnKey = (column: StatsColumn) => JSON.stringify([column.path, column.type])

async function fetchStatistics(
  reader: StatisticsReader,
  table: FileTable,
  columns: readonly StatsColumn[],
  known: Kept,
  signal: AbortSignal | undefined,
): Promise<void> {
  const rowCounts = new Float64Array(table.statsRowEnd).fill(Number.NaN)
  const bounds = new Map(
    columns.map((column) => [column, new BoundsColumn(column.type, rowCounts)]),
  )
  for (const source of table.statsSources) {
    const fetch = { reader, source, rowCounts, bounds, signal }
    // Values in columns of their own cost a hundredth of those inside a hundred thousand texts.
    const { missing, isComplete } = await fetchFrom(fetch, columns, IN_STRUCT)
    if (!isComplete || missing.length > 0)
      await fetchFrom(fetch, isComplete ? missing : columns, IN_TEXT)
  }
  known.rowCounts = rowCounts
  for (const [column, found] of bounds) known.bounds.set(columnKey(column), found)
}

interface Fetch {
  readonly reader: StatisticsReader
  readonly source: StatsSource
  readonly rowCounts: Float64Array
  readonly bounds: ReadonlyMap<StatsColumn, BoundsColumn>
  readonly signal: AbortSignal | undefined
}

/** Where in an `add` statistics are: as text, or as a struct beside it (PROTOCOL.md, "Checkpoint Schema", `stats_parsed`). */
interface Place {
  readonly rowCount: ParquetField
  /** Three fields. */
  fieldsOf(column: StatsColumn): readonly ParquetField[]
}

const GROUPS = ['minValues', 'maxValues', 'nullCount'] as const

const IN_STRUCT: Place = {
  rowCount: { path: ['add', 'stats_parsed', 'numRecords'], as: 'number' },
  fieldsOf: ({ path, type }) => {
    const as = wholeAs(type) ?? 'text'
    return GROUPS.map((group) => ({
      path: ['add', 'stats_parsed', group, ...path],
      as: group === 'nullCount' ? 'number' : as,
    }))
  },
}

/** How values come that are whole numbers underneath: without a text for each. */
function wholeAs(type: ColumnType): 'integer' | 'days' | 'micros' | undefined {
  if (type === 'timestamp' || type === 'timestamp_ntz') return 'micros'
  if (type === 'date') return 'days'
  return typeof type === 'string' && type.startsWith('int') ? 'integer' : undefined
}

const IN_TEXT: Place = {
  rowCount: { path: ['add', 'stats'], inside: ['numRecords'], as: 'text' },
  fieldsOf: (column) =>
    isExactInJson(column)
      ? GROUPS.map((group) => ({
          path: ['add', 'stats'],
          inside: [group, ...column.path],
          as: 'text',
        }))
      : [
          { path: ['add', 'stats'], as: 'text' },
          { path: ['add', 'stats'], inside: ['nothing'], as: 'text' },
          { path: ['add', 'stats'], inside: ['nothing'], as: 'text' },
        ],
}

/** @returns columns that nothing was said of, and whether every file has a row count */
async function fetchFrom(
  { reader, source, rowCounts, bounds, signal }: Fetch,
  columns: readonly StatsColumn[],
  place: Place,
): Promise<{ readonly missing: readonly StatsColumn[]; readonly isComplete: boolean }> {
  const request = {
    location: reader.store.locate(source.key),
    fields: [place.rowCount, ...columns.flatMap((column) => place.fieldsOf(column))],
    // Every `add` has it, and it costs less to look at than the path.
    presentAny: [['add', 'size']],
  }
  const found = new Set<StatsColumn>()
  let isComplete = true
  for await (const { rowNumbers, columns: cells } of reader.parquet.readFields(request, signal)) {
    const numRecords = cells[0]!
    for (let index = 0; index < rowNumbers.length; index += 1) {
      const count = numRecords[index]
      if (count === null || count === undefined) isComplete = false
      else rowCounts[source.rowOfNumber[rowNumbers[index]!]!] = Number(count)
    }
    for (const [at, column] of columns.entries()) {
      const [mins, maxs, nullCounts] = [1, 2, 3].map((offset) => cells[at * 3 + offset]!)
      const into = bounds.get(column)!
      const isWhole = place === IN_STRUCT && wholeAs(column.type) !== undefined
      for (let index = 0; index < rowNumbers.length; index += 1) {
        const row = source.rowOfNumber[rowNumbers[index]!]!
        const [min, max, nullCount] = [mins![index], maxs![index], nullCounts![index]]
        if (isWhole) {
          if (isAbsent(min) && isAbsent(max) && isAbsent(nullCount)) continue
          found.add(column)
          const values = { min: bigintOf(min), max: bigintOf(max), nullCount: numberOf(nullCount) }
          into.setWhole(row, values)
          continue
        }
        const cell = { numRecords: numRecords[index], min, max, nullCount }
        const bound = boundsInText(column, place, cell)
        if (bound === undefined) continue
        found.add(column)
        into.set(row, bound)
      }
    }
  }
  return { missing: columns.filter((column) => !found.has(column)), isComplete }
}

const textOf = (cell: FieldCell | undefined) =>
  cell === null || cell === undefined ? undefined : String(cell)
const bigintOf = (cell: FieldCell | undefined) => (typeof cell === 'bigint' ? cell : undefined)
const numberOf = (cell: FieldCell | undefined) => (typeof cell === 'number' ? cell : undefined)

const isAbsent = (cell: FieldCell | undefined) => cell === null || cell === undefined

function boundsInText(
  column: StatsColumn,
  place: Place,
  cells: Readonly<Record<keyof StatsTokens, FieldCell | undefined>>,
): ColumnBounds | undefined {
  const min = textOf(cells.min)
  const max = textOf(cells.max)
  const nullCount = textOf(cells.nullCount)
  const found = { numRecords: textOf(cells.numRecords), min, max, nullCount }
  if (place === IN_TEXT && !isExactInJson(column))
    return min === undefined ? undefined : boundsFromStats(min, column)
  if (min === undefined && max === undefined && nullCount === undefined) return undefined
  return boundsFromTokens(found, column.type)
}

/** An engine may read JSON numbers as doubles, which hold decimals of up to 15 digits. */
function isExactInJson({ type }: StatsColumn): boolean {
  return typeof type === 'string' || type.kind !== 'decimal' || type.precision <= 15
}
