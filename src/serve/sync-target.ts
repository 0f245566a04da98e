import type { EntityRange, SyncCursor, SyncItem, VersionedItem } from '../model/sync.ts'

/**
 * A serving store that follows lake tables by their changes. The doorway (`flow/lake-to-serve.ts`) opens it once for a run, calls one method at a
 * time, and owns what is sent, when, and how often.
 *
 * In: items to put and to remove. Out: the same items, for comparison. Survives a crash: what `write` returned for, and the cursors, which
 * are moved after it. Between the two the same write comes again, so writing twice leaves the same state.
 */
export interface SyncTarget {
  /** Connect and make what is missing; doing it again changes nothing. @throws SinkUnavailableError, SinkConfigError */
  open(signal?: AbortSignal): Promise<void>

  /** How far the target has followed a table, as it says itself; `undefined` for one it has never seen. */
  cursor(table: string): Promise<SyncCursor | undefined>
  /** Durable when it returns. */
  saveCursor(table: string, cursor: SyncCursor): Promise<void>

  /**
   * Put and remove. Returns after the store has all of it. Guarded by version: an item that the store holds in a newer version stays.
   * May be cut short by an error anywhere, and is then asked for again, whole.
   */
  write(batch: SyncBatch, signal?: AbortSignal): Promise<SyncWritten>

  /** What the store holds of a collection, as items that are equal to those that were put. In no particular order. */
  items(collection: string, range: EntityRange, signal?: AbortSignal): AsyncIterable<StoredItem>

  /** The item as `items` gives it back: what a collection does not declare left out, numbers as the store has them. Pure. */
  asStored(item: SyncItem): SyncItem

  /** Forget everything, cursors included. */
  clear(signal?: AbortSignal): Promise<void>

  close(): Promise<void>
}

export interface SyncBatch {
  readonly puts: readonly VersionedItem[]
  /** The items as they were put, so that a store can find them by more than their id. */
  readonly removes: readonly VersionedItem[]
}

/** What a write cost beyond its items; facts of the run's report, added up. */
export type SyncWritten = Readonly<Record<string, number>>

export interface StoredItem {
  readonly item: SyncItem
  readonly version: number
}
