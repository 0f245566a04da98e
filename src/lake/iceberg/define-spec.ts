import { TableMismatchError } from '../errors.ts'
import type {
  PartitionField,
  PartitionSpec,
  SortField,
  SortOrder,
  TableMetadata,
} from './metadata.ts'
import { fieldAt, type IcebergStruct } from './schema.ts'
import { appliesTo, parseTransform } from './transform.ts'

/** One field to split a table by: a column, and a transform as Iceberg writes it (`day`, `bucket[16]`). */
export interface PartitionBy {
  /** A name, or names from the top down through structs. */
  readonly column: string | readonly string[]
  /** Default: `identity`. */
  readonly transform?: string
  /** Default: `<column>` for identity, `<column>_<transform>` otherwise. */
  readonly name?: string
}

/**
 * A spec with these fields. Fields that some spec has already keep their ids, and so does a spec that has exactly them
 * (table spec, "Partitioning").
 *
 * @throws TableMismatchError when a column is missing or a transform does not apply to it
 */
export function specOf(
  schema: IcebergStruct,
  fields: readonly PartitionBy[],
  known: Pick<TableMetadata, 'partition-specs' | 'last-partition-id'>,
  attempted: string,
): PartitionSpec {
  const problems: string[] = []
  let lastId = known['last-partition-id']
  const made = fields.flatMap((wanted): PartitionField[] => {
    const source = sourceOf(schema, wanted.column, wanted.transform, problems)
    if (source === undefined) return []
    const transform = wanted.transform ?? 'identity'
    const { path, id } = source
    const name = wanted.name ?? defaultName(path, transform)
    const earlier = known['partition-specs']
      .flatMap((spec) => spec.fields)
      .find((field) => field['source-id'] === id && field.transform === transform)
    const fieldId = earlier?.['field-id'] ?? ++lastId
    return [{ 'source-id': id, 'field-id': fieldId, name, transform }]
  })
  const names = made.map((field) => field.name)
  for (const name of new Set(names)) {
    if (names.filter((each) => each === name).length > 1)
      problems.push(`two partition fields are called ${name}`)
    const field = made.find((each) => each.name === name)!
    const column = schema.fields.find((each) => each.name === name)
    if (
      column !== undefined &&
      (column.id !== field['source-id'] || field.transform !== 'identity')
    )
      problems.push(`the partition field ${name} is called like a column`)
  }
  if (problems.length > 0) throw new TableMismatchError(attempted, problems)
  const same = known['partition-specs'].find(
    (spec) => JSON.stringify(spec.fields.map(bare)) === JSON.stringify(made.map(bare)),
  )
  const lastSpecId = Math.max(-1, ...known['partition-specs'].map((spec) => spec['spec-id']))
  return same ?? { 'spec-id': lastSpecId + 1, fields: made }
}

const bare = (field: PartitionField) => [field['source-id'], field.transform, field.name]

export interface SortBy {
  readonly column: string | readonly string[]
  readonly transform?: string
  /** Default: `asc`. */
  readonly direction?: 'asc' | 'desc'
  /** Default: first when ascending, last when descending, as Spark does. */
  readonly nulls?: 'first' | 'last'
}

/** A sort order with these fields; order 0 when there are none. @throws TableMismatchError */
export function sortOrderOf(
  schema: IcebergStruct,
  fields: readonly SortBy[],
  known: readonly SortOrder[],
  attempted: string,
): SortOrder {
  const problems: string[] = []
  const made = fields.flatMap((wanted): SortField[] => {
    const source = sourceOf(schema, wanted.column, wanted.transform, problems)
    if (source === undefined) return []
    const direction = wanted.direction ?? 'asc'
    const nulls = wanted.nulls ?? (direction === 'asc' ? 'first' : 'last')
    return [
      {
        'source-id': source.id,
        transform: wanted.transform ?? 'identity',
        direction,
        'null-order': `nulls-${nulls}`,
      },
    ]
  })
  if (problems.length > 0) throw new TableMismatchError(attempted, problems)
  if (made.length === 0) return { 'order-id': 0, fields: [] }
  const same = known.find((order) => JSON.stringify(order.fields) === JSON.stringify(made))
  const lastId = Math.max(0, ...known.map((order) => order['order-id']))
  return same ?? { 'order-id': lastId + 1, fields: made }
}

function sourceOf(
  schema: IcebergStruct,
  column: string | readonly string[],
  transform: string | undefined,
  problems: string[],
): { readonly id: number; readonly path: readonly string[] } | undefined {
  const path = typeof column === 'string' ? [column] : column
  const field = fieldAt(schema, path)
  if (field === undefined) problems.push(`there is no column ${path.join('.')}`)
  else if (typeof field.type !== 'string') problems.push(`${path.join('.')} is not a plain value`)
  else if (!appliesTo(parseTransform(transform ?? 'identity'), field.type))
    problems.push(`${transform} does not apply to ${path.join('.')}, which is ${field.type}`)
  else return { id: field.id, path }
  return undefined
}

/** As Iceberg's own writers name them: `event_time_day`, `id_bucket_16`, `name_trunc_4`. */
function defaultName(path: readonly string[], transform: string): string {
  const base = path.join('.')
  if (transform === 'identity') return base
  const parsed = parseTransform(transform)
  if (parsed.kind === 'bucket') return `${base}_bucket_${parsed.width}`
  return parsed.kind === 'truncate' ? `${base}_trunc_${parsed.width}` : `${base}_${transform}`
}
