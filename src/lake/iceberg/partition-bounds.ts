import type { ColumnPath, Predicate, Scalar, Value } from '../../model/predicate.ts'
import { compareScalars } from '../../model/scalar.ts'
import type { ColumnBounds } from '../file-skipping.ts'
import type { FieldSummary } from './manifest-list.ts'
import type { BoundPartitionField, BoundSpec, PartitionTuple } from './partition-spec.ts'
import { scalarFromBytes } from './single-value.ts'
import { applyTransform, preimage } from './transform.ts'

/**
 * From predicates on rows to what partitions tell (table spec, "Scan Planning", inclusive projection). Instead of
 * projecting predicates we turn partition values back into bounds of the source columns, which serves both questions,
 * "may a row match" and "do all rows match". Buckets have no such bounds: equality with a value is given its bucket
 * beside it, as equality of a column that only partitions have.
 */

/** Bounds of the partition values themselves, in the order of a spec's fields. */
export type PartitionBounds = readonly (ColumnBounds | undefined)[]

export function boundsOfTuple(tuple: PartitionTuple): PartitionBounds {
  return tuple.map((value) =>
    value === null
      ? { mayBeNull: true, mayBeValue: false }
      : { min: value, max: value, mayBeNull: false, mayBeValue: true },
  )
}

/** Of all files of a manifest. A writer that made no summaries told nothing. */
export function boundsOfSummaries(
  spec: BoundSpec,
  summaries: readonly FieldSummary[] | undefined,
): PartitionBounds {
  return spec.fields.map((field, index) => {
    const summary = summaries?.[index]
    if (summary === undefined) return undefined
    const { containsNull, containsNan, lowerBound, upperBound } = summary
    const isFloat = field.type === 'float' || field.type === 'double'
    const mayBeNan = isFloat && containsNan !== false
    return {
      min: lowerBound === undefined ? undefined : scalarFromBytes(lowerBound, field.type),
      // NaN is above every bound.
      max:
        upperBound === undefined || mayBeNan ? undefined : scalarFromBytes(upperBound, field.type),
      mayBeNull: containsNull,
      mayBeValue: lowerBound !== undefined || upperBound !== undefined || mayBeNan,
    }
  })
}

/** What partition values tell of a source column; `undefined` when nothing. */
export function sourceBounds(
  spec: BoundSpec,
  partition: PartitionBounds,
  sourceId: number,
): ColumnBounds | undefined {
  let known: ColumnBounds | undefined
  spec.fields.forEach((field, index) => {
    const bounds = partition[index]
    if (field.sourceId !== sourceId || bounds === undefined) return
    const found = invert(field, bounds)
    known = known === undefined ? found : intersect(known, found)
  })
  return known
}

/** Bounds that hold where both hold. */
export function intersect(a: ColumnBounds, b: ColumnBounds): ColumnBounds {
  return {
    min: further(a.min, b.min, 1),
    max: further(a.max, b.max, -1),
    mayBeNull: a.mayBeNull && b.mayBeNull,
    mayBeValue: a.mayBeValue && b.mayBeValue,
  }
}

const BUCKET = '\u0000bucket'

/** The partition field whose bounds a column of a rewritten predicate means; `undefined` for an ordinary column. */
export const bucketField = (column: ColumnPath): number | undefined =>
  column[0] === BUCKET ? Number(column[1]) : undefined

/** The same condition, with the bucket named wherever a bucketed column must equal something. */
export function withBuckets(
  predicate: Predicate,
  spec: BoundSpec,
  idOf: (column: ColumnPath) => number,
): Predicate {
  switch (predicate.kind) {
    case 'and':
    case 'or':
      return { ...predicate, of: predicate.of.map((part) => withBuckets(part, spec, idOf)) }
    case 'not':
      return { kind: 'not', of: withBuckets(predicate.of, spec, idOf) }
    case 'is_null':
      return predicate
    case 'compare': {
      if (predicate.op !== '=') return predicate
      const buckets = bucketsOf(spec, idOf(predicate.column)).map((field): Predicate => {
        const value = bucketValue(field, predicate.value)
        return { kind: 'compare', column: [BUCKET, String(field.fieldId)], op: '=', value }
      })
      return buckets.length === 0 ? predicate : { kind: 'and', of: [predicate, ...buckets] }
    }
    case 'in': {
      const buckets = bucketsOf(spec, idOf(predicate.column)).map((field): Predicate => {
        const values = predicate.values.map((value) => bucketValue(field, value))
        return { kind: 'in', column: [BUCKET, String(field.fieldId)], values }
      })
      return buckets.length === 0 ? predicate : { kind: 'and', of: [predicate, ...buckets] }
    }
  }
}

/** Times of day are text to us, and not every text is one. */
const bucketsOf = (spec: BoundSpec, sourceId: number) =>
  spec.fields.filter(
    (field) =>
      field.sourceId === sourceId &&
      field.transform.kind === 'bucket' &&
      field.sourceType !== 'time',
  )

const bucketValue = (field: BoundPartitionField, { value }: Value): Value => ({
  type: 'int32',
  value: applyTransform(field.transform, value, field.sourceType)!,
})

/** Bounds of the source from those of a partition value: every transform we invert is monotonic, and null only for null. */
function invert(field: BoundPartitionField, bounds: ColumnBounds): ColumnBounds {
  const { transform, sourceType } = field
  if (transform.kind === 'void' || transform.kind === 'unknown')
    return { mayBeNull: true, mayBeValue: true }
  const from = (bound: Scalar | undefined, end: 'min' | 'max') =>
    bound === undefined ? undefined : preimage(transform, bound, sourceType)?.[end]
  return {
    min: from(bounds.min, 'min'),
    max: from(bounds.max, 'max'),
    mayBeNull: bounds.mayBeNull,
    mayBeValue: bounds.mayBeValue,
  }
}

/** The greater of two bounds (`sign` 1) or the lesser (-1); an absent one does not count. */
function further(a: Scalar | undefined, b: Scalar | undefined, sign: number): Scalar | undefined {
  if (a === undefined) return b
  if (b === undefined) return a
  return compareScalars(a, b) * sign >= 0 ? a : b
}
