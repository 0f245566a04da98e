import type { Scalar } from '../../model/predicate.ts'
import { TableBrokenError } from '../errors.ts'
import type { PartitionSpec, TableMetadata } from './metadata.ts'
import { fieldsById, type IcebergStruct } from './schema.ts'
import { parseTransform, resultType, type Transform } from './transform.ts'

/** A partition spec with the transforms and types that its fields have (table spec, "Partitioning"). */
export interface BoundSpec {
  readonly specId: number
  readonly fields: readonly BoundPartitionField[]
}

export interface BoundPartitionField {
  readonly fieldId: number
  readonly sourceId: number
  readonly name: string
  readonly transform: Transform
  /** Iceberg types of the source column and of the partition value. */
  readonly sourceType: string
  readonly type: string
}

/** The partition values of a file, in the order of its spec's fields. */
export type PartitionTuple = readonly (Scalar | null)[]

/**
 * A spec against the schemas that its sources may be in, the likeliest first: a column may have been dropped since
 * files were partitioned by it.
 *
 * @throws TableBrokenError when a source column is in none of them
 */
export function bindSpec(
  spec: PartitionSpec,
  schemas: readonly IcebergStruct[],
  table: string,
): BoundSpec {
  const fields = spec.fields.map((field): BoundPartitionField => {
    const transform = parseTransform(field.transform)
    const sourceId = field['source-id']
    const sourceType = primitiveType(schemas, sourceId)
    // Several sources, or a transform of the future: kept to tell partitions apart, never used to choose files.
    const isKnown = typeof sourceId === 'number' && transform.kind !== 'unknown'
    if (isKnown && sourceType === undefined)
      throw new TableBrokenError(
        `${table} is partitioned by ${field.name}, whose source column ${sourceId} is in no schema.`,
      )
    return {
      fieldId: field['field-id'],
      sourceId,
      name: field.name,
      transform: isKnown ? transform : { kind: 'unknown', text: field.transform },
      sourceType: sourceType ?? 'unknown',
      type: resultType(transform, sourceType ?? 'unknown'),
    }
  })
  return { specId: spec['spec-id'], fields }
}

/** Every spec of a table by its id, bound to the current schema and, for columns since dropped, the older ones. */
export function boundSpecs(metadata: TableMetadata, table: string): ReadonlyMap<number, BoundSpec> {
  const current = metadata['current-schema-id']
  const schemas = [...metadata.schemas].sort(
    (a, b) =>
      Number(b['schema-id'] === current) - Number(a['schema-id'] === current) ||
      (b['schema-id'] ?? 0) - (a['schema-id'] ?? 0),
  )
  return new Map(
    metadata['partition-specs'].map((spec) => [spec['spec-id'], bindSpec(spec, schemas, table)]),
  )
}

/**
 * A text that is equal for equal partitions: spec and values, NaN equal to itself and -0 unlike 0 (table spec, "Scan
 * Planning", note 3).
 */
export function partitionKey(specId: number, tuple: PartitionTuple): string {
  return `${specId}:${tuple.map(valueKey).join('|')}`
}

function valueKey(value: Scalar | null): string {
  if (value === null) return 'null'
  if (value instanceof Uint8Array) return `x${Buffer.from(value).toString('hex')}`
  if (typeof value === 'string') return JSON.stringify(value)
  return Object.is(value, -0) ? '-0' : String(value)
}

function primitiveType(schemas: readonly IcebergStruct[], id: number): string | undefined {
  for (const schema of schemas) {
    const type = fieldsById(schema).get(id)?.field.type
    if (typeof type === 'string') return type
  }
  return undefined
}
