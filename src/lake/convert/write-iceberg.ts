import type { MetadataUpdate } from '../iceberg/catalog.ts'
import { snapshotCommit } from '../iceberg/commit.ts'
import { type CreateOutcome, creationUpdates } from '../iceberg/create.ts'
import { type IcebergDeps, icebergTools } from '../iceberg/deps.ts'
import { putManifests } from '../iceberg/edit-rows.ts'
import type { ContentFile } from '../iceberg/manifest.ts'
import { applyUpdates } from '../iceberg/metadata-update.ts'
import { boundSpecs } from '../iceberg/partition-spec.ts'
import { writeKnownDeletes } from '../iceberg/position-delete-write.ts'
import type { IcebergField, IcebergType } from '../iceberg/schema.ts'
import { bytesFromScalar } from '../iceberg/single-value.ts'
import { locationOf } from '../iceberg/table-location.ts'
import type { PlainFile, PlainTable } from './plain-table.ts'

/**
 * Make an Iceberg table of files that are there, in one commit. They have no field ids, so that the table gets a name mapping;
 * partition columns that are not in them have the values of their partitions (table spec, "Column Projection"). Rows that are gone are
 * told by position delete files, the only new files with rows in them.
 */
export async function icebergFromPlain(
  deps: IcebergDeps,
  table: string,
  location: string,
  plain: PlainTable,
  signal?: AbortSignal,
): Promise<CreateOutcome> {
  const tools = icebergTools(deps)
  const made = creationUpdates(tools, table, {
    columns: plain.columns,
    partitionBy: plain.partitionBy.map((column) => ({ column })),
    properties: plain.properties,
    location,
  })
  const mapping = { 'schema.name-mapping.default': JSON.stringify(namesOf(made.schema.fields)) }
  const updates: MetadataUpdate[] = [
    ...made.updates,
    { action: 'set-properties', updates: mapping },
  ]
  const metadata = applyUpdates(undefined, updates, { nowMs: tools.clock.nowMs() })
  const entry = { metadata, metadataLocation: '', tableKey: location }
  const spec = boundSpecs(metadata, table).get(metadata['default-spec-id'])!
  const snapshotId = tools.newSnapshotId()
  const files = plain.files.map((file) =>
    contentFile(file, {
      specId: spec.specId,
      fields: made.schema.fields,
      of: (key) => locationOf(tools.store, key),
    }),
  )
  const added = [...files]
  for (const [index, { deletedRows }] of plain.files.entries())
    if (deletedRows !== undefined && deletedRows.length > 0) {
      const gone = { data: files[index]!, positions: deletedRows }
      added.push(await writeKnownDeletes(tools, entry, gone, signal))
    }
  const manifests = await putManifests(tools, entry, snapshotId, added)
  const staged = await snapshotCommit(tools, entry, {
    snapshotId,
    transactions: plain.transactions,
    summary: { 'mekong.converted-from': plain.origin },
    staged: {
      manifests,
      changes: {
        operation: added.length > files.length ? 'overwrite' : 'append',
        added,
        removed: [],
      },
    },
  })
  const outcome = await tools.catalog.commit(table, {
    requirements: [{ type: 'assert-create' }],
    updates: [...updates, ...staged.updates],
  })
  if (outcome.status === 'committed') return { status: 'created' }
  return outcome.status === 'conflict' ? { status: 'exists' } : outcome
}

function contentFile(
  { key, bytes, rowCount, partition, statistics }: PlainFile,
  table: {
    readonly specId: number
    readonly fields: readonly IcebergField[]
    readonly of: (key: string) => string
  },
): ContentFile {
  const valueCounts = new Map<number, number>()
  const nullCounts = new Map<number, number>()
  const lowerBounds = new Map<number, Uint8Array>()
  const upperBounds = new Map<number, Uint8Array>()
  for (const { id, name, type } of table.fields) {
    const known = statistics.get(name)
    if (known === undefined || typeof type !== 'string') continue
    valueCounts.set(id, rowCount)
    if (known.nullCount !== undefined) nullCounts.set(id, known.nullCount)
    const [lower, upper] = [known.min, known.max].map((bound) =>
      bound === undefined ? undefined : bytesFromScalar(bound, type),
    )
    if (lower !== undefined) lowerBounds.set(id, lower)
    if (upper !== undefined) upperBounds.set(id, upper)
  }
  return {
    ...{ content: 'data', path: table.of(key), format: 'parquet', specId: table.specId },
    ...{ partition, recordCount: rowCount, bytes },
    ...{ valueCounts, nullCounts, lowerBounds, upperBounds },
  }
}

interface FieldNames {
  readonly 'field-id': number
  readonly names: readonly string[]
  readonly fields?: readonly FieldNames[]
}

/** The name mapping of fields called in the files as they are in the schema (table spec, "Name Mapping Serialization"). */
function namesOf(fields: readonly IcebergField[]): readonly FieldNames[] {
  return fields.map(({ id, name, type }) => named(id, name, type))
}

function named(id: number, name: string, type: IcebergType): FieldNames {
  const inside = insideOf(type)
  return { 'field-id': id, names: [name], ...(inside.length === 0 ? {} : { fields: inside }) }
}

function insideOf(type: IcebergType): readonly FieldNames[] {
  if (typeof type === 'string') return []
  switch (type.type) {
    case 'struct':
      return namesOf(type.fields)
    case 'list':
      return [named(type['element-id'], 'element', type.element)]
    case 'map':
      return [named(type['key-id'], 'key', type.key), named(type['value-id'], 'value', type.value)]
  }
}
