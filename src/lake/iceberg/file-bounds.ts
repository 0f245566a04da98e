import type { Scalar } from '../../model/predicate.ts'
import type { ColumnBounds } from '../file-skipping.ts'
import type { FileMetrics } from './manifest.ts'
import { scalarFromBytes } from './single-value.ts'

/** What a file's metrics say of one column; `undefined` when nothing (table spec, "Manifests", fields 108 to 137). */
export function metricBounds(
  metrics: FileMetrics,
  fieldId: number,
  type: string,
): ColumnBounds | undefined {
  const values = metrics.valueCounts?.get(fieldId)
  const nulls = metrics.nullCounts?.get(fieldId)
  const lower = boundOf(metrics.lowerBounds?.get(fieldId), type)
  const upper = boundOf(metrics.upperBounds?.get(fieldId), type)
  if (nulls === undefined && lower === undefined && upper === undefined) return undefined
  const isFloat = type === 'float' || type === 'double'
  // Bounds leave NaN out, and it is above every number.
  const mayBeNan = isFloat && metrics.nanCounts?.get(fieldId) !== 0
  return {
    min: lower,
    max: mayBeNan ? undefined : upper,
    mayBeNull: nulls === undefined || nulls > 0,
    mayBeValue: nulls === undefined || values === undefined || values > nulls,
  }
}

/** Old writers wrote NaN as a bound, which is none. */
function boundOf(bytes: Uint8Array | undefined, type: string): Scalar | undefined {
  const bound = bytes === undefined ? undefined : scalarFromBytes(bytes, type)
  return typeof bound === 'number' && Number.isNaN(bound) ? undefined : bound
}
