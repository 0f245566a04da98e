import type { PartitionSpec, Snapshot, SnapshotRef, SortOrder, TableMetadata } from './metadata.ts'
import type { IcebergSchema } from './schema.ts'

/**
 * Who knows which metadata of a table is the current one, and changes that in one step (table spec, "Metastore Tables"). A
 * commit says what must hold and what changes, in the words of Iceberg's REST catalog protocol, so that any catalog
 * can decide: `file-catalog.ts`, `sqlite-catalog.ts`, a REST service.
 */
export interface Catalog {
  /** What a table is now; `undefined` when there is none. @throws TableBrokenError, TableUnsupportedError */
  load(table: string, signal?: AbortSignal): Promise<CatalogEntry | undefined>

  /**
   * Change a table, or make one (`assert-create`). Tried again inside as long as the requirements hold.
   * @throws PlatformError when the store refused and nothing was changed
   */
  commit(table: string, commit: CatalogCommit, signal?: AbortSignal): Promise<CatalogOutcome>
}

export interface CatalogEntry {
  readonly metadata: TableMetadata
  /** Where the metadata is, as other engines name it. */
  readonly metadataLocation: string
  /** The store's key of the table's folder. */
  readonly tableKey: string
}

export interface CatalogCommit {
  readonly requirements: readonly Requirement[]
  readonly updates: readonly MetadataUpdate[]
}

/**
 * `conflict`: a requirement does not hold; nothing was changed. `unknown`: no answer came, and looking did not help either;
 * the same commit may be sent again, and its snapshot's id tells whether it had been made.
 */
export type CatalogOutcome =
  | { readonly status: 'committed'; readonly entry: CatalogEntry }
  | { readonly status: 'conflict'; readonly requirement: string; readonly message: string }
  | { readonly status: 'unknown'; readonly cause: unknown }

export type Requirement =
  | { readonly type: 'assert-create' }
  | { readonly type: 'assert-table-uuid'; readonly uuid: string }
  | {
      readonly type: 'assert-ref-snapshot-id'
      readonly ref: string
      /** `null`: there must be no such branch or tag. */
      readonly 'snapshot-id': bigint | null
    }
  | { readonly type: 'assert-last-assigned-field-id'; readonly 'last-assigned-field-id': number }
  | { readonly type: 'assert-current-schema-id'; readonly 'current-schema-id': number }
  | {
      readonly type: 'assert-last-assigned-partition-id'
      readonly 'last-assigned-partition-id': number
    }
  | { readonly type: 'assert-default-spec-id'; readonly 'default-spec-id': number }
  | { readonly type: 'assert-default-sort-order-id'; readonly 'default-sort-order-id': number }

/** Ids of -1 mean the one that was added last. */
export type MetadataUpdate =
  | { readonly action: 'assign-uuid'; readonly uuid: string }
  | { readonly action: 'upgrade-format-version'; readonly 'format-version': number }
  | { readonly action: 'set-location'; readonly location: string }
  | {
      readonly action: 'add-schema'
      readonly schema: IcebergSchema
      readonly 'last-column-id': number
    }
  | { readonly action: 'set-current-schema'; readonly 'schema-id': number }
  | { readonly action: 'add-spec'; readonly spec: PartitionSpec }
  | { readonly action: 'set-default-spec'; readonly 'spec-id': number }
  | { readonly action: 'add-sort-order'; readonly 'sort-order': SortOrder }
  | { readonly action: 'set-default-sort-order'; readonly 'sort-order-id': number }
  | { readonly action: 'add-snapshot'; readonly snapshot: Snapshot }
  | ({ readonly action: 'set-snapshot-ref'; readonly 'ref-name': string } & SnapshotRef)
  | { readonly action: 'remove-snapshots'; readonly 'snapshot-ids': readonly bigint[] }
  | { readonly action: 'remove-snapshot-ref'; readonly 'ref-name': string }
  | { readonly action: 'set-properties'; readonly updates: Readonly<Record<string, string>> }
  | { readonly action: 'remove-properties'; readonly removals: readonly string[] }
