import type { ColumnType } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'
import { scalarFromText } from '../../model/scalar.ts'
import type { ColumnStatistics } from '../stage-files.ts'
import type { FileMetrics } from './manifest.ts'
import { columnTypeOf, type IcebergStruct } from './schema.ts'
import { bytesFromScalar } from './single-value.ts'
import { bytesAfterPrefix, firstCodePoints, stringAfterPrefix } from './transform.ts'

/**
 * Column metrics of a data file from what the engine says it wrote. How much is kept is the table's choice, in
 * Iceberg's own properties: `write.metadata.metrics.default` and `….column.<name>`.
 */
type MetricsMode =
  | { readonly kind: 'none' | 'counts' | 'full' }
  | { readonly kind: 'truncate'; readonly length: number }

/** Iceberg's own default, as is the number of columns that get metrics without being asked for by name. */
const DEFAULT_MODE: MetricsMode = { kind: 'truncate', length: 16 }
const INFERRED_COLUMN_COUNT_MAX = 100
const PREFIX = 'write.metadata.metrics.'

/** Columns inside lists and maps get none: their bounds could not rule anything out. */
export function fileMetrics(
  schema: IcebergStruct,
  statistics: readonly ColumnStatistics[],
  properties: Readonly<Record<string, string>>,
): FileMetrics {
  const given = new Map(statistics.map((entry) => [JSON.stringify(entry.path), entry]))
  const columnSizes = new Map<number, number>()
  const valueCounts = new Map<number, number>()
  const nullCounts = new Map<number, number>()
  const nanCounts = new Map<number, number>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  for (const { id, path, type, mode } of measured(schema, properties)) {
    const entry = given.get(JSON.stringify(path))
    if (entry === undefined) continue
    if (entry.columnBytes !== undefined) columnSizes.set(id, entry.columnBytes)
    if (mode.kind === 'none') continue
    valueCounts.set(id, entry.valueCount)
    nullCounts.set(id, entry.nullCount)
    // The engine tells whether there are NaNs, not how many; none is a number.
    if ((type === 'float' || type === 'double') && entry.hasNan !== true) nanCounts.set(id, 0)
    if (mode.kind === 'counts') continue
    const lower = lowerBound(entry, type, mode)
    const upper = upperBound(entry, type, mode)
    if (lower !== undefined) lowerBounds.set(id, lower)
    if (upper !== undefined) upperBounds.set(id, upper)
  }
  return { columnSizes, valueCounts, nullCounts, nanCounts, lowerBounds, upperBounds }
}

interface MeasuredColumn {
  readonly id: number
  readonly path: readonly string[]
  readonly type: string
  readonly mode: MetricsMode
}

function measured(
  schema: IcebergStruct,
  properties: Readonly<Record<string, string>>,
): readonly MeasuredColumn[] {
  const fallback = parseMode(properties[`${PREFIX}default`]) ?? DEFAULT_MODE
  const columns: MeasuredColumn[] = []
  let count = 0
  const visit = (struct: IcebergStruct, above: readonly string[]): void => {
    for (const { id, name, type } of struct.fields) {
      const path = [...above, name]
      if (typeof type !== 'string') {
        if (type.type === 'struct') visit(type, path)
        continue
      }
      const asked = parseMode(properties[`${PREFIX}column.${path.join('.')}`])
      count += 1
      const inferred: MetricsMode = count > INFERRED_COLUMN_COUNT_MAX ? { kind: 'none' } : fallback
      columns.push({ id, path, type, mode: asked ?? inferred })
    }
  }
  visit(schema, [])
  return columns
}

function parseMode(text: string | undefined): MetricsMode | undefined {
  const lower = text?.toLowerCase()
  if (lower === 'none' || lower === 'counts' || lower === 'full') return { kind: lower }
  const match = /^truncate\((\d+)\)$/.exec(lower ?? '')
  return match === null ? undefined : { kind: 'truncate', length: Number(match[1]) }
}

function lowerBound(
  { min, minIsExact }: ColumnStatistics,
  type: string,
  mode: MetricsMode,
): Uint8Array | undefined {
  const value = boundValue(min, type)
  if (value === undefined) return undefined
  // What the engine cut short is a prefix, and a prefix is a lower bound already.
  if (mode.kind === 'truncate' && typeof value === 'string')
    return bytesFromScalar(firstCodePoints(value, mode.length), type)
  if (mode.kind === 'truncate' && value instanceof Uint8Array) return value.slice(0, mode.length)
  return minIsExact === false && !isText(value) ? undefined : bytesFromScalar(value, type)
}

/** Cut values are raised, so that they stay above what was cut off; a bound that cannot be raised is left out. */
function upperBound(
  { max, maxIsExact }: ColumnStatistics,
  type: string,
  mode: MetricsMode,
): Uint8Array | undefined {
  const value = boundValue(max, type)
  if (value === undefined) return undefined
  if (mode.kind === 'truncate' && typeof value === 'string') {
    const prefix = firstCodePoints(value, mode.length)
    if (prefix === value && maxIsExact !== false) return bytesFromScalar(value, type)
    const raised = stringAfterPrefix(prefix)
    return raised === undefined ? undefined : bytesFromScalar(raised, type)
  }
  if (mode.kind === 'truncate' && value instanceof Uint8Array) {
    if (value.length <= mode.length && maxIsExact !== false) return value
    return bytesAfterPrefix(value.slice(0, mode.length))
  }
  return maxIsExact === false ? undefined : bytesFromScalar(value, type)
}

const isText = (value: Scalar) => typeof value === 'string' || value instanceof Uint8Array

/** An engine's text as a value: booleans also as 0 and 1, binary in hexadecimal. */
function boundValue(text: string | undefined, type: string): Scalar | undefined {
  if (text === undefined) return undefined
  if (type === 'boolean')
    return /^(1|true)$/.test(text) ? true : /^(0|false)$/.test(text) ? false : undefined
  if (type === 'binary')
    return /^([0-9a-f]{2})*$/i.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined
  const columnType: ColumnType = columnTypeOf(type, 'A bound')
  const value = scalarFromText(text, columnType)
  return Number.isNaN(value) ? undefined : value
}
