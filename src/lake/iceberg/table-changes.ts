import type { Columns } from '../../model/column.ts'
import type { CatalogCommit, CatalogEntry, MetadataUpdate, Requirement } from './catalog.ts'
import { type PartitionBy, type SortBy, sortOrderOf, specOf } from './define-spec.ts'
import type { IcebergTools } from './deps.ts'
import { evolveSchema, type SchemaChange } from './evolve-schema.ts'
import { schemaById, type TableMetadata } from './metadata.ts'
import { columnOf } from './schema.ts'
import { checkWritable } from './writable.ts'

/** Changes to a table's metadata alone: columns, partitioning, sort order, properties. */

/** `conflict`: somebody else changed the same thing meanwhile; look at the table and decide again. */
export type ChangeOutcome =
  | { readonly status: 'committed' }
  | { readonly status: 'conflict'; readonly message: string }
  | { readonly status: 'unknown'; readonly cause: unknown }

export interface ChangeableTable {
  readonly tools: IcebergTools
  readonly name: string
  newest(signal?: AbortSignal): Promise<CatalogEntry>
  remember(entry: CatalogEntry): CatalogEntry
}

/** The table's columns as they are now. */
export const columnsOf = ({ metadata, tableKey }: CatalogEntry): Columns =>
  schemaById(metadata, metadata['current-schema-id'])!.fields.map((each) =>
    columnOf(each, tableKey),
  )

/** Make one change on top of the newest state; nothing is committed when it changes nothing. */
export async function changeTable(
  table: ChangeableTable,
  change: (entry: CatalogEntry) => CatalogCommit,
  signal?: AbortSignal,
): Promise<ChangeOutcome> {
  const entry = await table.newest(signal)
  const { updates, requirements } = change(entry)
  if (updates.length === 0) return { status: 'committed' }
  const uuid: Requirement = { type: 'assert-table-uuid', uuid: entry.metadata['table-uuid'] }
  const commit = { requirements: [uuid, ...requirements], updates }
  const outcome = await table.tools.catalog.commit(table.name, commit, signal)
  if (outcome.status === 'committed') {
    table.remember(outcome.entry)
    return { status: 'committed' }
  }
  return outcome.status === 'unknown' ? outcome : { status: 'conflict', message: outcome.message }
}

/** @throws TableMismatchError naming each change that cannot be made */
export function columnChanges(
  { metadata, tableKey }: CatalogEntry,
  changes: readonly SchemaChange[],
): CatalogCommit {
  checkWritable(metadata, tableKey)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const { fields, lastColumnId } = evolveSchema(schema, changes, {
    lastColumnId: metadata['last-column-id'],
    inUse: sourceIds(metadata),
    keys: new Set(schema['identifier-field-ids'] ?? []),
    table: tableKey,
  })
  const requirements: Requirement[] = [
    { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
    { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': metadata['last-column-id'] },
  ]
  const asText = (list: unknown) => JSON.stringify(list)
  if (asText(fields) === asText(schema.fields)) return { requirements, updates: [] }
  // Going back to a schema that was there is going back to its id.
  const same = metadata.schemas.find((each) => asText(each.fields) === asText(fields))
  if (same !== undefined)
    return {
      requirements,
      updates: [{ action: 'set-current-schema', 'schema-id': same['schema-id']! }],
    }
  const lastSchemaId = Math.max(...metadata.schemas.map((each) => each['schema-id'] ?? 0))
  const evolved = { ...schema, 'schema-id': lastSchemaId + 1, fields }
  return {
    requirements,
    updates: [
      { action: 'add-schema', schema: evolved, 'last-column-id': lastColumnId },
      { action: 'set-current-schema', 'schema-id': -1 },
    ],
  }
}

/** @throws TableMismatchError */
export function partitionChanges(
  { metadata, tableKey }: CatalogEntry,
  fields: readonly PartitionBy[],
): CatalogCommit {
  checkWritable(metadata, tableKey)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const spec = specOf(schema, fields, metadata, `Partitioning ${tableKey}`)
  const requirements: Requirement[] = [
    { type: 'assert-default-spec-id', 'default-spec-id': metadata['default-spec-id'] },
    {
      type: 'assert-last-assigned-partition-id',
      'last-assigned-partition-id': metadata['last-partition-id'],
    },
    { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
  ]
  if (spec['spec-id'] === metadata['default-spec-id']) return { requirements, updates: [] }
  const isKnown = metadata['partition-specs'].some((each) => each['spec-id'] === spec['spec-id'])
  const add: MetadataUpdate[] = isKnown ? [] : [{ action: 'add-spec', spec }]
  return {
    requirements,
    updates: [...add, { action: 'set-default-spec', 'spec-id': spec['spec-id'] }],
  }
}

/** @throws TableMismatchError */
export function sortChanges(
  { metadata, tableKey }: CatalogEntry,
  fields: readonly SortBy[],
): CatalogCommit {
  checkWritable(metadata, tableKey)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const known = metadata['sort-orders']
  const order = sortOrderOf(schema, fields, known, `Sorting ${tableKey}`)
  const id = order['order-id']
  const requirements: Requirement[] = [
    {
      type: 'assert-default-sort-order-id',
      'default-sort-order-id': metadata['default-sort-order-id'],
    },
    { type: 'assert-current-schema-id', 'current-schema-id': metadata['current-schema-id'] },
  ]
  if (id === metadata['default-sort-order-id']) return { requirements, updates: [] }
  const add: MetadataUpdate[] = known.some((each) => each['order-id'] === id)
    ? []
    : [{ action: 'add-sort-order', 'sort-order': order }]
  return {
    requirements,
    updates: [...add, { action: 'set-default-sort-order', 'sort-order-id': id }],
  }
}

export function propertyChanges(
  { metadata }: CatalogEntry,
  properties: Readonly<Record<string, string | null>>,
): CatalogCommit {
  const updates: Record<string, string> = {}
  const removals: string[] = []
  for (const [name, value] of Object.entries(properties)) {
    if (value === null) {
      if (metadata.properties[name] !== undefined) removals.push(name)
    } else if (metadata.properties[name] !== value) updates[name] = value
  }
  const changes: MetadataUpdate[] = []
  if (Object.keys(updates).length > 0) changes.push({ action: 'set-properties', updates })
  if (removals.length > 0) changes.push({ action: 'remove-properties', removals })
  return { requirements: [], updates: changes }
}

/** Columns that the current spec or any sort order is made of. */
function sourceIds(metadata: TableMetadata): ReadonlySet<number> {
  const spec = metadata['partition-specs'].find(
    (each) => each['spec-id'] === metadata['default-spec-id'],
  )
  const order = metadata['sort-orders'].find(
    (each) => each['order-id'] === metadata['default-sort-order-id'],
  )
  return new Set(
    [...(spec?.fields ?? []), ...(order?.fields ?? [])].map((field) => field['source-id']),
  )
}
