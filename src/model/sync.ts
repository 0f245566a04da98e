/** JSON as it is parsed: what an entity's row is made of, and what an item may hold. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json }

/** A row of a lake table as JSON: days and instants are text, whole numbers are exact up to 2^53. */
export type SyncRow = Readonly<Record<string, Json>>

/**
 * One thing that a target keeps for an entity: a row of a table, a node or an edge of a graph, a vector. Change-driven sync compares the
 * items of an entity before and after, and sends what differs; so two items are the same when they are equal as JSON.
 */
export interface SyncItem {
  /** Table, label, type of edge, or namespace; declared by the target. */
  readonly collection: string
  /** Unique within the collection. */
  readonly id: string
  /** Number of the entity it belongs to, whole and not negative: what check and repair divide the items by. */
  readonly entity: number
  /** By the names that the collection declares; those that are left out are null. */
  readonly values: Readonly<Record<string, Json>>
  /** Edges alone. */
  readonly from?: NodeRef
  readonly to?: NodeRef
  /** Vectors alone: what is embedded. */
  readonly text?: string
}

/** The end of an edge. */
export interface NodeRef {
  readonly label: string
  readonly id: string
}

/** An item with the version of the entity that it is from; an older one never replaces or removes a newer one. */
export interface VersionedItem {
  readonly item: SyncItem
  readonly version: number
}

/** How far a target has followed one table. Kept by the target. */
export interface SyncCursor {
  /** Id of the table; another one means that it was made anew. */
  readonly tableId: string
  /** Version up to which the target has everything; -1: nothing yet. */
  readonly version: number
  /**
   * Version up to which something may have been sent. After a crash exactly these changes are sent again: with more of them, something
   * that came and went meanwhile would be no change at all, and stay.
   */
  readonly pending?: number
  /** Of what the items look like in the target; with another one everything is sent anew. */
  readonly shape: string
}

/** Entities `[from, to)`. */
export interface EntityRange {
  readonly from: number
  readonly to: number
}

/** What a collection holds, as a value of the plan. */
export type SyncCollection = RowsCollection | NodesCollection | EdgesCollection | VectorsCollection

/** A table of an OLAP store. */
export interface RowsCollection {
  readonly kind: 'rows'
  readonly name: string
  /** Columns that tell rows apart; the store's sort order. The first is the entity. */
  readonly key: readonly string[]
  /** Types in the store's spelling. */
  readonly columns: Readonly<Record<string, string>>
}

export type PropertyType = 'int' | 'float' | 'text' | 'bool' | 'texts'

/** Nodes of one label, known by one whole number. */
export interface NodesCollection {
  readonly kind: 'nodes'
  readonly name: string
  readonly key: string
  readonly properties: Readonly<Record<string, PropertyType>>
}

/** Edges of one type, each known by a text in the property `id`, so that there may be several between two nodes. */
export interface EdgesCollection {
  readonly kind: 'edges'
  readonly name: string
  readonly id: string
  readonly between: readonly (readonly [from: string, to: string])[]
  readonly properties: Readonly<Record<string, PropertyType>>
}

/** Vectors with enough beside them to show a result. */
export interface VectorsCollection {
  readonly kind: 'vectors'
  readonly name: string
  readonly metadata: Readonly<Record<string, PropertyType>>
}

/** An item as text, the same for equal items: names in order, absent and null alike. */
export function itemText({ values, from, to, text }: SyncItem): string {
  const cells = Object.keys(values)
    .sort()
    .flatMap((name) => (values[name] === null ? [] : [[name, values[name]]]))
  return JSON.stringify([cells, from ?? null, to ?? null, text ?? null])
}
