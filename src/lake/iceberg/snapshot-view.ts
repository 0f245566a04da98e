import type { Columns } from '../../model/column.ts'
import type { ScanPlan } from '../../model/scan-plan.ts'
import type { ParquetPort } from '../parquet-port.ts'
import type { ContentFile } from './manifest.ts'
import { liveEntries, manifestsOf } from './manifest-read.ts'
import { type Snapshot, schemaById, specById, type TableMetadata } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { planScan, type ScanOptions } from './scan.ts'
import { columnOf, type IcebergSchema } from './schema.ts'
import { type SnapshotSelector, selectSnapshot } from './snapshot.ts'
import type { TableLocation } from './table-location.ts'
import { transactionsAt } from './transactions.ts'

/** One state of a table, as it was committed. Never changes. */
export interface IcebergSnapshot {
  /** `undefined` for a table that nothing was ever committed to. */
  readonly snapshotId: bigint | undefined
  readonly parentId: bigint | undefined
  readonly sequenceNumber: number
  /** Milliseconds since 1970, by its writer's clock; of the table's creation when there is no snapshot. */
  readonly committedMs: number
  /** `append`, `overwrite`, `delete`, `replace`, and whatever its writer noted. Empty when there is no snapshot. */
  readonly summary: Readonly<Record<string, string>>
  /** The table's own id, a UUID. */
  readonly id: string
  readonly columns: Columns
  readonly schema: IcebergSchema
  /** Transforms of the current spec as text: `day(event_time)`. For people. */
  readonly partitionBy: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly formatVersion: number
  /** The whole of the metadata that this snapshot was found in. */
  readonly metadata: TableMetadata
  /** Version that an application last committed under this id; `undefined` when it never did. @throws TableBrokenError when that is lost */
  transaction(appId: string): number | undefined
  /** Every application id with its version. */
  transactions(): Iterable<readonly [appId: string, version: number]>
  /** Data and delete files, from the manifests. */
  files(signal?: AbortSignal): AsyncIterable<ContentFile>
  /** What to read for some rows and columns. @throws TableMismatchError, TableBrokenError, TableUnsupportedError */
  plan(options?: ScanOptions, signal?: AbortSignal): Promise<ScanPlan>
}

/**
 * Rows of the past come in the schema they were written for; those of a branch in the table's current one.
 *
 * @throws SnapshotMissingError, TableUnsupportedError
 */
export function snapshotView(
  place: TableLocation,
  metadata: TableMetadata,
  parquet: ParquetPort,
  selector?: SnapshotSelector,
): IcebergSnapshot {
  const table = place.tableKey
  const snapshot = selectSnapshot(metadata, table, selector)
  const schema = schemaFor(metadata, snapshot, selector)
  const context = { place, metadata, snapshot, schema, parquet }
  return Object.freeze({
    snapshotId: snapshot?.['snapshot-id'],
    parentId: snapshot?.['parent-snapshot-id'],
    sequenceNumber: snapshot?.['sequence-number'] ?? 0,
    committedMs: snapshot?.['timestamp-ms'] ?? metadata['last-updated-ms'],
    summary: snapshot?.summary ?? {},
    id: metadata['table-uuid'],
    columns: schema.fields.map((field) => columnOf(field, table)),
    schema,
    partitionBy: partitionTexts(metadata),
    properties: metadata.properties,
    formatVersion: metadata['format-version'],
    metadata,
    transaction: (appId: string) => transactionsAt(metadata, snapshot, table).get(appId),
    transactions: () => transactionsAt(metadata, snapshot, table),
    async *files(signal?: AbortSignal) {
      if (snapshot === undefined) return
      const manifests = await manifestsOf(place, snapshot, signal)
      for await (const entries of liveEntries(
        place,
        manifests,
        boundSpecs(metadata, table),
        signal,
      ))
        for (const { file } of entries) yield file
    },
    plan: (options?: ScanOptions, signal?: AbortSignal) => planScan(context, options, signal),
  })
}

function schemaFor(
  metadata: TableMetadata,
  snapshot: Snapshot | undefined,
  selector: SnapshotSelector | undefined,
): IcebergSchema {
  const isBranch =
    selector === undefined || ('ref' in selector && metadata.refs[selector.ref]?.type !== 'tag')
  const then = snapshot?.['schema-id']
  const ofThen = isBranch || then === undefined ? undefined : schemaById(metadata, then)
  return ofThen ?? schemaById(metadata, metadata['current-schema-id'])!
}

function partitionTexts(metadata: TableMetadata): readonly string[] {
  const spec = specById(metadata, metadata['default-spec-id'])!
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  return spec.fields
    .filter((field) => field.transform !== 'void')
    .map((field) => {
      const source = schema.fields.find((each) => each.id === field['source-id'])
      return field.transform === 'identity' && source !== undefined
        ? source.name
        : `${field.transform}(${source?.name ?? field['source-id']})`
    })
}
