import type { Scalar } from '../../model/predicate.ts'
import { TableMissingError } from '../errors.ts'
import { type IcebergDeps, icebergTools } from '../iceberg/deps.ts'
import { planNewest } from '../iceberg/edit-rows.ts'
import { metricBounds } from '../iceberg/file-bounds.ts'
import { mainId, schemaById, snapshotById, type TableMetadata } from '../iceberg/metadata.ts'
import { type BoundSpec, boundSpecs } from '../iceberg/partition-spec.ts'
import type { PlannedFiles } from '../iceberg/scan.ts'
import { columnOf, fieldsById, type IcebergSchema } from '../iceberg/schema.ts'
import { keyOfLocation, tableLocation } from '../iceberg/table-location.ts'
import { transactionsAt } from '../iceberg/transactions.ts'
import { readOnlyTypes } from '../iceberg/writable.ts'
import {
  type PlainFile,
  type PlainStatistics,
  type PlainTable,
  refuseUncarried,
} from './plain-table.ts'

/**
 * The newest snapshot of an Iceberg table, and the key of its folder.
 * @throws TableMissingError
 * @throws TableUnsupportedError naming what Delta cannot tell of it
 */
export async function plainFromIceberg(
  deps: IcebergDeps,
  table: string,
  signal?: AbortSignal,
): Promise<{ readonly location: string; readonly plain: PlainTable }> {
  const tools = icebergTools(deps)
  const entry = await tools.catalog.load(table, signal)
  if (entry === undefined) throw new TableMissingError(`There is no Iceberg table ${table}.`)
  const { metadata, tableKey } = entry
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const spec = boundSpecs(metadata, table).get(metadata['default-spec-id'])!
  refuseUncarried(table, 'a Delta table', [
    ...schema.fields.flatMap((field) => readOnlyTypes(field)),
    ...historyObstacles(schema, metadata),
    ...spec.fields
      .filter(
        ({ transform, sourceId }) =>
          transform.kind !== 'void' &&
          (transform.kind !== 'identity' || !schema.fields.some(({ id }) => id === sourceId)),
      )
      .map(({ name }) => `partition field ${name}`),
  ])
  const planned = await planNewest(tools, entry, undefined, signal)
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const keys = planned.files.map(({ entry: { file } }) => keyOfLocation(place, file.path))
  refuseUncarried(table, 'a Delta table', fileObstacles(planned, keys, spec))
  const identities = spec.fields.filter(({ transform }) => transform.kind === 'identity')
  const columns = schema.fields.map((field) => columnOf(field, table))
  const nameOf = (sourceId: number) => schema.fields.find(({ id }) => id === sourceId)!.name
  const partitionBy = identities.map(({ sourceId }) => nameOf(sourceId))
  const head = mainId(metadata)
  const snapshot = head === undefined ? undefined : snapshotById(metadata, head)
  const fileAt = (place: number): PlainFile => {
    const { file } = planned.files[place]!.entry
    const statistics = new Map<string, PlainStatistics>()
    for (const { id, name, type } of schema.fields) {
      if (typeof type !== 'string' || partitionBy.includes(name)) continue
      const bounds = metricBounds(file, id, type)
      if (bounds === undefined) continue
      const nullCount = file.nullCounts?.get(id)
      statistics.set(name, { min: bounds.min, max: bounds.max, nullCount })
    }
    const deletedRows = planned.plan.files[place]!.deletedRows?.positions
    return {
      key: keys[place]!,
      bytes: file.bytes,
      modifiedMs: snapshot?.['timestamp-ms'] ?? 0,
      rowCount: file.recordCount,
      partition: identities.map(
        (field): Scalar | null => file.partition[spec.fields.indexOf(field)] ?? null,
      ),
      statistics,
      ...(deletedRows === undefined ? {} : { deletedRows }),
    }
  }
  const plain: PlainTable = {
    columns,
    partitionBy,
    properties: Object.fromEntries(
      Object.entries(metadata.properties).filter(
        ([name]) =>
          !/^(write|read|commit|history|schema|gc|format-version|mekong|owner)\b/.test(name),
      ),
    ),
    transactions: [...transactionsAt(metadata, snapshot, table)].map(([appId, version]) => ({
      appId,
      version,
    })),
    files: planned.files.map((_, place) => fileAt(place)),
    origin: `Iceberg snapshot ${head ?? 'none'}`,
  }
  return { location: tableKey, plain }
}

/** What became of columns since files were written: Delta without column mapping knows columns by their names. */
function historyObstacles(schema: IcebergSchema, metadata: TableMetadata): readonly string[] {
  const obstacles: string[] = []
  const current = fieldsById(schema)
  const idOf = new Map([...current].map(([id, { path }]) => [path.join('\n'), id]))
  for (const { field, path } of current.values())
    if (field['initial-default'] !== undefined && field['initial-default'] !== null)
      obstacles.push(`default of ${path.join('.')}`)
  for (const older of metadata.schemas)
    for (const [id, { field, path }] of fieldsById(older)) {
      const now = current.get(id)
      const namesake = idOf.get(path.join('\n'))
      if (now !== undefined && now.path.join('\n') !== path.join('\n'))
        obstacles.push(`renamed column ${now.path.join('.')}`)
      if (now !== undefined && typeof now.field.type === 'string' && now.field.type !== field.type)
        obstacles.push(`widened column ${now.path.join('.')}`)
      if (namesake !== undefined && namesake !== id)
        obstacles.push(`column ${path.join('.')}, which was dropped and added again`)
    }
  return obstacles
}

function fileObstacles(
  { files }: PlannedFiles,
  keys: readonly (string | undefined)[],
  spec: BoundSpec,
): readonly string[] {
  const obstacles: string[] = []
  for (const [place, { entry, deletes }] of files.entries()) {
    if (deletes.equalities.length > 0) obstacles.push('equality deletes')
    if (entry.file.specId !== spec.specId) obstacles.push('files of an older partitioning')
    if (keys[place] === undefined) obstacles.push('files outside of the store')
    for (const [index, field] of spec.fields.entries()) {
      const value = entry.file.partition[index]
      // PROTOCOL.md, "Partition Value Serialization".
      if (value === '') obstacles.push(`empty text in the partition column ${field.name}`)
      if (value instanceof Uint8Array) obstacles.push(`bytes in the partition column ${field.name}`)
    }
  }
  return obstacles
}
