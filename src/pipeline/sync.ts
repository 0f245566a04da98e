import type {
  EdgesCollection,
  NodesCollection,
  RowsCollection,
  SyncCollection,
  SyncItem,
  SyncRow,
  VectorsCollection,
} from '../model/sync.ts'

/** Where a sync writes, as a value: a kind of store, and what it holds. Which engine it is, embedded or a server, is configuration. */
export interface SyncTargetPlan {
  readonly store: SyncStore
  /** Database, or prefix of everything it makes. */
  readonly name: string
  readonly collections: readonly SyncCollection[]
}

export type SyncStore = 'clickhouse' | 'graph' | 'vectors'

/** A table of the lake that a sync follows, and what its rows are in the target. */
export interface SyncSource {
  /** `layer.name`; a Delta table that keeps a change feed. */
  readonly table: string
  /** Column that tells entities apart: a whole number, not negative. */
  readonly key: string
  /** Column that grows with every change of an entity. */
  readonly version: string
  /** Column that says that an entity is gone though its row is kept. Default: none. */
  readonly deleted?: string
  /** The collections of the target that its rows are in. */
  readonly collections: readonly string[]
  /** Where other tables fill the same edges: the label at whose end this table's entities are. */
  readonly endLabel?: string
  /** Columns that `items` looks at. */
  readonly reads: readonly string[]
  /** Columns without whose change an entity is not looked at; hashes, as a rule. Default: all that are read. */
  readonly watch?: readonly string[]
  /** What an entity is in the target. Pure; the same row gives the same items. */
  readonly items: (row: SyncRow) => readonly SyncItem[]
}

/** A change-driven sync of tables to a target. */
export interface SyncPlan {
  /** Unique within the pipeline. */
  readonly name: string
  readonly target: SyncTargetPlan
  /** In the order in which they are sent. */
  readonly from: readonly SyncSource[]
  readonly tags: readonly string[]
}

export interface SyncOptions {
  readonly target: SyncTargetPlan
  readonly from: readonly SyncSource[]
  /** Words to select it by in schedules and commands. */
  readonly tags?: readonly string[]
}

/** Tables in ClickHouse, or in the embedded chDB: ReplacingMergeTree by version, with deletes. */
export function clickhouse(
  database: string,
  tables: Readonly<Record<string, Omit<RowsCollection, 'kind' | 'name'>>>,
): SyncTargetPlan {
  return target('clickhouse', database, collections('rows', tables))
}

/** Nodes and edges in Neo4j, or in the embedded LadybugDB. */
export function graph(
  name: string,
  parts: {
    readonly nodes: Readonly<Record<string, Omit<NodesCollection, 'kind' | 'name'>>>
    readonly edges: Readonly<Record<string, Omit<EdgesCollection, 'kind' | 'name'>>>
  },
): SyncTargetPlan {
  const { nodes, edges } = parts
  return target('graph', name, [...collections('nodes', nodes), ...collections('edges', edges)])
}

/** Vectors in Pinecone, or in the embedded LanceDB; the platform's embedder makes them. */
export function vectors(
  name: string,
  namespaces: Readonly<Record<string, Omit<VectorsCollection, 'kind' | 'name'>>>,
): SyncTargetPlan {
  return target('vectors', name, collections('vectors', namespaces))
}

const target = (store: SyncStore, name: string, of: readonly SyncCollection[]) =>
  Object.freeze({ store, name, collections: of })

const collections = <Kind extends SyncCollection['kind']>(
  kind: Kind,
  named: Readonly<Record<string, object>>,
) => Object.entries(named).map(([name, rest]) => ({ kind, name, ...rest }) as SyncCollection)
