import type { IcebergSchema } from './schema.ts'

/**
 * Table metadata (table spec, "Table Metadata Fields", "Appendix C") in the spec's own spelling, so that members we do not know
 * survive our commits. Read through `metadata-json.ts`, which gives a version 1 table the members that version 2
 * requires. Snapshot ids are bigint, because they are 64-bit chance.
 */
export interface TableMetadata {
  readonly 'format-version': number
  readonly 'table-uuid': string
  readonly location: string
  readonly 'last-sequence-number': number
  readonly 'last-updated-ms': number
  readonly 'last-column-id': number
  readonly 'current-schema-id': number
  readonly schemas: readonly IcebergSchema[]
  readonly 'default-spec-id': number
  readonly 'partition-specs': readonly PartitionSpec[]
  readonly 'last-partition-id': number
  readonly 'default-sort-order-id': number
  readonly 'sort-orders': readonly SortOrder[]
  readonly properties: Readonly<Record<string, string>>
  readonly 'current-snapshot-id'?: bigint
  readonly refs: Readonly<Record<string, SnapshotRef>>
  readonly snapshots: readonly Snapshot[]
  readonly 'snapshot-log': readonly SnapshotLogEntry[]
  readonly 'metadata-log': readonly MetadataLogEntry[]
  /** Version 3 only. */
  readonly 'next-row-id'?: number
  readonly [member: string]: unknown
}

export interface Snapshot {
  readonly 'snapshot-id': bigint
  readonly 'parent-snapshot-id'?: bigint
  /** 0 in version 1 tables. */
  readonly 'sequence-number': number
  readonly 'timestamp-ms': number
  /** Absent in old version 1 tables, which list `manifests`. */
  readonly 'manifest-list'?: string
  readonly manifests?: readonly string[]
  readonly summary: Readonly<Record<string, string>>
  readonly 'schema-id'?: number
  readonly [member: string]: unknown
}

export interface SnapshotRef {
  readonly 'snapshot-id': bigint
  readonly type: 'branch' | 'tag'
  readonly 'min-snapshots-to-keep'?: number
  readonly 'max-snapshot-age-ms'?: number
  readonly 'max-ref-age-ms'?: number
}

export interface SnapshotLogEntry {
  readonly 'snapshot-id': bigint
  readonly 'timestamp-ms': number
}

export interface MetadataLogEntry {
  readonly 'metadata-file': string
  readonly 'timestamp-ms': number
}

export interface PartitionSpec {
  readonly 'spec-id': number
  readonly fields: readonly PartitionField[]
}

export interface PartitionField {
  readonly 'source-id': number
  readonly 'field-id': number
  readonly name: string
  readonly transform: string
}

export interface SortOrder {
  readonly 'order-id': number
  readonly fields: readonly SortField[]
}

export interface SortField {
  readonly 'source-id': number
  readonly transform: string
  readonly direction: 'asc' | 'desc'
  readonly 'null-order': 'nulls-first' | 'nulls-last'
}

/** The branch that a table is when nobody names another. */
export const MAIN_BRANCH = 'main'

/** The highest field id that a table may use; those above are reserved (table spec, "Reserved Field IDs"). */
export const FIELD_ID_MAX = 2_147_483_447

/** The first partition field id; ids below are never given to partition fields. */
export const PARTITION_ID_START = 1000

export const snapshotById = (metadata: TableMetadata, id: bigint): Snapshot | undefined =>
  metadata.snapshots.find((snapshot) => snapshot['snapshot-id'] === id)

/** The newest snapshot of the branch that a table is. */
export const mainId = (metadata: TableMetadata): bigint | undefined =>
  metadata.refs[MAIN_BRANCH]?.['snapshot-id'] ?? metadata['current-snapshot-id']

export const schemaById = (metadata: TableMetadata, id: number): IcebergSchema | undefined =>
  metadata.schemas.find((schema) => schema['schema-id'] === id)

export const specById = (metadata: TableMetadata, id: number): PartitionSpec | undefined =>
  metadata['partition-specs'].find((spec) => spec['spec-id'] === id)
