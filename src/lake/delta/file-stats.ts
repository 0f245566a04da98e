import type { Columns, ColumnType } from '../../model/column.ts'
import { scalarFromText } from '../../model/scalar.ts'
import type { ColumnStatistics } from '../stage-files.ts'
import type { TableProperties } from './properties.ts'

/**
 * Writing the `stats` of an `add` action (PROTOCOL.md, "Per-file Statistics"). Numbers are taken over as the text the
 * engine gave, because a double would round 64-bit integers and decimals.
 */

/** Strings are cut to this many code points, as Spark does. */
const STRING_PREFIX_LENGTH = 32

export interface FileStatsRequest {
  readonly rowCount: number
  readonly columnStatistics: readonly ColumnStatistics[]
  /** Of the data files, in the table's order. */
  readonly columns: Columns
  readonly properties: Pick<TableProperties, 'statsColumnCount' | 'statsColumns'>
}

/** JSON text. Columns without known bounds or null counts are left out of the respective part. */
export function fileStatsJson(request: FileStatsRequest): string {
  const { rowCount, columnStatistics } = request
  const minValues: Tree = new Map()
  const maxValues: Tree = new Map()
  const nullCount: Tree = new Map()
  const given = new Map(columnStatistics.map((entry) => [JSON.stringify(entry.path), entry]))
  for (const { path, type } of wantedLeaves(request)) {
    const entry = given.get(JSON.stringify(path))
    if (entry === undefined) continue
    insert(nullCount, path, String(entry.nullCount))
    const min = lowerBound(entry, type)
    const max = upperBound(entry, type)
    if (min !== undefined) insert(minValues, path, min)
    if (max !== undefined) insert(maxValues, path, max)
  }
  return (
    `{"numRecords":${rowCount},"minValues":${treeJson(minValues)},` +
    `"maxValues":${treeJson(maxValues)},"nullCount":${treeJson(nullCount)}}`
  )
}

interface Leaf {
  readonly path: readonly string[]
  readonly type: ColumnType
}

/** Leaves that can have bounds: those reached through structs alone. Lists and maps only use up a place. */
function wantedLeaves({ columns, properties }: FileStatsRequest): Leaf[] {
  const leaves: Leaf[] = []
  const visit = (inner: Columns, above: readonly string[]) => {
    for (const { name, type } of inner) {
      const path = [...above, name]
      if (typeof type !== 'string' && type.kind === 'struct') visit(type.columns, path)
      else leaves.push({ path, type })
    }
  }
  visit(columns, [])
  const { statsColumns, statsColumnCount } = properties
  if (statsColumns !== undefined)
    return leaves.filter(({ path }) =>
      statsColumns.some((name) => `${path.join('.')}.`.startsWith(`${name}.`)),
    )
  return statsColumnCount < 0 ? leaves : leaves.slice(0, statsColumnCount)
}

/** JSON of a value at or below everything in the column; `undefined` when there is none. */
function lowerBound(entry: ColumnStatistics, type: ColumnType): string | undefined {
  if (entry.min === undefined) return undefined
  if (type === 'string') return JSON.stringify(prefixOf(entry.min))
  return boundJson(entry.min, type, 'down')
}

/** JSON of a value at or above everything in the column. */
function upperBound(entry: ColumnStatistics, type: ColumnType): string | undefined {
  // NaN is above every number, and JSON cannot say it.
  if (entry.max === undefined || entry.hasNan === true) return undefined
  if (type === 'string') return JSON.stringify(prefixAbove(entry.max))
  return boundJson(entry.max, type, 'up')
}

function boundJson(text: string, type: ColumnType, rounding: 'down' | 'up'): string | undefined {
  const scalar = scalarFromText(text, type)
  if (scalar === undefined) return undefined
  switch (type) {
    // Spark writes none for booleans, and nobody reads them.
    case 'boolean':
    case 'binary':
    case 'string':
      return undefined
    case 'date':
      return /^\d{4}-\d{2}-\d{2}$/.test(text) ? JSON.stringify(text) : undefined
    case 'timestamp':
    case 'timestamp_ntz':
      return timestampJson(scalar as bigint, type, rounding)
    case 'float32':
    case 'float64':
      return Number.isFinite(scalar) ? jsonNumber(text) : undefined
    default:
      return jsonNumber(text)
  }
}

/** Only what JSON takes for a number: no plus sign, no leading zeros or points. */
const jsonNumber = (text: string) =>
  /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? text : undefined

/** Years that ISO 8601 writes with four digits; others stay without bounds. */
const YEAR_0000_MICROS = -62_167_219_200_000_000n
const YEAR_9999_END_MICROS = 253_402_300_800_000_000n

/** In whole milliseconds, as every reader expects, and rounded so that the bound still holds. */
function timestampJson(
  micros: bigint,
  type: 'timestamp' | 'timestamp_ntz',
  rounding: 'down' | 'up',
): string | undefined {
  const floor = micros - (((micros % 1000n) + 1000n) % 1000n)
  const rounded = rounding === 'up' && floor !== micros ? floor + 1000n : floor
  if (rounded < YEAR_0000_MICROS || rounded >= YEAR_9999_END_MICROS) return undefined
  const iso = new Date(Number(rounded / 1000n)).toISOString()
  return JSON.stringify(type === 'timestamp' ? iso : iso.slice(0, -1))
}

const prefixOf = (text: string) => codePoints(text).slice(0, STRING_PREFIX_LENGTH).join('')

/**
 * A prefix with a last character above all that followed. U+007F will do for plain text; else it is the highest code
 * point there is, after as many of its own kind as the text has.
 */
function prefixAbove(text: string): string {
  const points = codePoints(text)
  if (points.length <= STRING_PREFIX_LENGTH) return text
  let end = STRING_PREFIX_LENGTH
  while (end < points.length && points[end] === HIGHEST) end += 1
  const prefix = points.slice(0, end).join('')
  if (end === points.length) return prefix
  return prefix + (points[end]! < '\u007f' ? '\u007f' : HIGHEST)
}

const HIGHEST = '\u{10ffff}'

/** Enough of them to decide; a megabyte of text is not taken apart for 32 characters. */
const codePoints = (text: string) => [...text.slice(0, 256)]

type Tree = Map<string, Tree | string>

function insert(tree: Tree, path: readonly string[], json: string): void {
  let at = tree
  for (const name of path.slice(0, -1)) {
    const inner = at.get(name)
    if (inner instanceof Map) at = inner
    else {
      const made: Tree = new Map()
      at.set(name, made)
      at = made
    }
  }
  at.set(path.at(-1)!, json)
}

function treeJson(tree: Tree): string {
  const members = [...tree].map(
    ([name, value]) =>
      `${JSON.stringify(name)}:${typeof value === 'string' ? value : treeJson(value)}`,
  )
  return `{${members.join(',')}}`
}
