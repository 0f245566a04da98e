/**
 * A store of documents that follows lake tables. Documents come with the version of the table that they are of; a store without transactions over
 * several documents is as good as one with, because an older version never takes a newer one's place, and the cursor moves last: a
 * crash in between is followed by the same again.
 */
export interface DocumentStore {
  /** How the store takes documents as text. Both are JSON; `extended` says instants and decimals in MongoDB's words (Extended JSON v2). */
  readonly notation: 'plain' | 'extended'

  /** Connect, and make collections and indexes that are not there. @throws SinkConfigError, SinkUnavailableError */
  open(collections: readonly CollectionFacts[]): Promise<void>

  /** Version up to which `consumer` has taken all changes; -1 before the first. */
  cursor(consumer: string): Promise<number>

  /** Take changes, in any order, then move the cursor to `version`. Durable when it returns; the same again changes nothing. */
  take(
    consumer: string,
    changes: AsyncIterable<readonly DocumentChange[]>,
    to: TakeTarget,
  ): Promise<void>

  /** Replace a whole collection in one step: a reader sees all of the old or all of the new. An older version than the one there is left out. */
  replace(
    collection: CollectionFacts,
    documents: readonly NewDocument[],
    version: number,
  ): Promise<void>

  /** Documents in order, as plain JSON values, `_id` among them. None of a collection that is not there yet. */
  find(request: FindRequest): Promise<readonly Readonly<Record<string, unknown>>[]>

  count(collection: string): Promise<number>

  close(): Promise<void>
}

export interface CollectionFacts {
  /** snake_case. */
  readonly name: string
  /** Fields to look documents up by, each list an index in this order. */
  readonly indexes: readonly (readonly string[])[]
}

export interface TakeTarget {
  readonly collection: string
  readonly version: number
}

export interface NewDocument {
  readonly id: string
  /** The document as text in the store's notation, without `_id`. */
  readonly document: string
}

/** `document` is null when it is gone. Of one id the highest version counts. */
export interface DocumentChange {
  readonly id: string
  readonly version: number
  readonly document: string | null
}

export interface FindRequest {
  readonly collection: string
  /** Fields and what they must equal. */
  readonly where?: Readonly<Record<string, string | number | boolean>>
  /** A field, ascending unless said otherwise; ties by `_id`. Default: by `_id`. */
  readonly orderBy?: { readonly field: string; readonly descending?: boolean }
  /** At most so many. */
  readonly limit: number
  readonly skip?: number
}
