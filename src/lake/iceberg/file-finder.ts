import { type ColumnPath, columnsIn, conjuncts, type Predicate } from '../../model/predicate.ts'
import { comparisonProblems } from '../comparable.ts'
import { TableMismatchError } from '../errors.ts'
import { type BoundsOf, mayMatch, surelyMatches } from '../file-skipping.ts'
import { metricBounds } from './file-bounds.ts'
import type { ContentFile } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import {
  boundsOfSummaries,
  boundsOfTuple,
  bucketField,
  intersect,
  type PartitionBounds,
  sourceBounds,
  withBuckets,
} from './partition-bounds.ts'
import type { BoundSpec } from './partition-spec.ts'
import { columnTypeOf, fieldAt, type IcebergSchema } from './schema.ts'

/**
 * Judges manifests and files by a predicate. Partition specs each get their own wording of it, made once.
 * @throws TableMismatchError when a column is unknown or a value has another type
 */
export class FileFinder {
  /** What must all be true. */
  readonly parts: readonly Predicate[]
  readonly #schema: IcebergSchema
  readonly #specs: ReadonlyMap<number, BoundSpec>
  readonly #worded = new Map<number, readonly Predicate[]>()

  constructor(
    schema: IcebergSchema,
    specs: ReadonlyMap<number, BoundSpec>,
    predicate: Predicate | undefined,
    table: string,
  ) {
    this.parts = predicate === undefined ? [] : conjuncts(predicate)
    this.#schema = schema
    this.#specs = specs
    checkPredicate(this.parts, schema, table)
  }

  mayHold(manifest: ManifestFile): boolean {
    if (manifest.addedFiles === 0 && manifest.existingFiles === 0) return false
    const spec = this.#specs.get(manifest.specId)
    // An unknown spec is reported when the manifest is read.
    if (spec === undefined || this.parts.length === 0) return true
    const bounds = this.#boundsOf(spec, boundsOfSummaries(spec, manifest.partitions))
    return this.#partsFor(spec).every((part) => mayMatch(part, bounds))
  }

  mayMatch(file: ContentFile): boolean {
    if (this.parts.length === 0) return true
    const spec = this.#specs.get(file.specId)!
    const bounds = this.#boundsOf(spec, boundsOfTuple(file.partition), file)
    return this.#partsFor(spec).every((part) => mayMatch(part, bounds))
  }

  surelyMatches(part: Predicate, file: ContentFile): boolean {
    const spec = this.#specs.get(file.specId)!
    return surelyMatches(part, this.#boundsOf(spec, boundsOfTuple(file.partition), file))
  }

  /** Whether the whole predicate is true for every row of a file. */
  surelyMatchesAll(file: ContentFile): boolean {
    return this.parts.every((part) => this.surelyMatches(part, file))
  }

  #partsFor(spec: BoundSpec): readonly Predicate[] {
    const known = this.#worded.get(spec.specId)
    if (known !== undefined) return known
    const idOf = (column: ColumnPath) => fieldAt(this.#schema, column)!.id
    const worded = this.parts.map((part) => withBuckets(part, spec, idOf))
    this.#worded.set(spec.specId, worded)
    return worded
  }

  #boundsOf(spec: BoundSpec, partition: PartitionBounds, file?: ContentFile): BoundsOf {
    return (column) => {
      const bucket = bucketField(column)
      if (bucket !== undefined)
        return partition[spec.fields.findIndex((field) => field.fieldId === bucket)]
      const { id, type } = fieldAt(this.#schema, column)!
      const byPartition = sourceBounds(spec, partition, id)
      if (file === undefined || typeof type !== 'string') return byPartition
      const byMetrics = metricBounds(trusted(file, id), id, type)
      if (byPartition === undefined || byMetrics === undefined) return byPartition ?? byMetrics
      return intersect(byPartition, byMetrics)
    }
  }
}

/** An equality delete file may carry more columns than those it deletes by; only those tell which rows it is about. */
const trusted = (file: ContentFile, id: number) =>
  file.content === 'data' || file.equalityIds?.includes(id) === true ? file : {}

function checkPredicate(parts: readonly Predicate[], schema: IcebergSchema, table: string): void {
  const problems = parts.flatMap((part) => [
    ...columnsIn(part)
      .filter((column) => fieldAt(schema, column) === undefined)
      .map((column) => `there is no column ${column.join('.')}`),
    ...comparisonProblems(part, (column) => {
      const field = fieldAt(schema, column)
      return field === undefined ? undefined : columnTypeOf(field.type, table)
    }),
  ])
  if (problems.length > 0) throw new TableMismatchError(`Planning a scan of ${table}`, problems)
}
