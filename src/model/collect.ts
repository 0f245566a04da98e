// Collecting: what a source on the network has, listed first and then fetched item by item. The words of it, without any I/O.

/** Something to fetch, as a list names it. */
export interface CollectItem {
  /** One of the collector's types. */
  readonly type: string
  /** Names it within its type. */
  readonly key: string
  /** Higher ones are fetched first. Default 0. */
  readonly rank?: number
  /** For the one who fetches it. Default empty. */
  readonly note?: string
}

export interface ListedItem extends CollectItem {
  readonly note: string
  /** Whether it was collected before. */
  readonly isKnown: boolean
}

/** Items of one type that a source says it has. They are remembered all at once, with the mark, so a list is read once. */
export interface CollectList {
  readonly type: string
  /** What is remembered once the list was read; a list whose mark stands already is not read. */
  readonly mark: { readonly name: string; readonly value: string }
  /** True leaves out what was collected before. */
  readonly onlyUnknown: boolean
  /** True forgets the mark when all items are done, so that the same may be asked again. */
  readonly isOnce: boolean
  items(): AsyncIterable<readonly CollectItem[]>
}

/** What somebody wants collected. */
export interface CollectRequest {
  readonly types: readonly string[]
  /** `all`: what the source has and was not collected yet; `changes`: what changed; `ids`: what is named. */
  readonly way: 'all' | 'changes' | 'ids'
  /** With `changes`: a UTC day, `YYYY-MM-DD`. Default: the day up to which changes were collected before. */
  readonly since?: string
  readonly ids: readonly string[]
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

/** What an item turned out to be. */
export interface Collected {
  /** What makes it the same as last time; equal content is not sent again. Any JSON. */
  readonly content: unknown
  /** In the order in which they go through the front door. */
  readonly events: readonly CollectedEvent[]
  /** Whether the source has it no more. */
  readonly isGone?: boolean
}

export interface CollectedEvent {
  /** Of the front door. */
  readonly path: string
  /** Names itself, so that one sent twice is one. */
  readonly event: Readonly<Record<string, unknown>>
}

/** Asks a source: within its rate, again when it is away or busy, and as long as it says. */
export interface SourceClient {
  /** A JSON document. @throws SourceAwayError, SourceRefusedError, SourceAnswerError */
  json(request: SourceRequest): Promise<SourceAnswer<unknown>>
  /** Lines of a file, unpacked where it is gzip. @throws as `json`, also between two lines */
  lines(request: SourceRequest): Promise<SourceAnswer<AsyncIterable<string>>>
}

export interface SourceRequest {
  readonly url: string
  readonly parameters?: Readonly<Record<string, string>>
  /** Joined to the parameters when it is sent, and never shown. */
  readonly secretParameters?: Readonly<Record<string, string>>
  /** Never shown. */
  readonly secretHeaders?: Readonly<Record<string, string>>
  /** Statuses that mean that there is no such thing. Default 404 and 410. */
  readonly missingStatuses?: readonly number[]
}

export type SourceAnswer<T> =
  | { readonly status: 'found'; readonly body: T; readonly atMs: number }
  | { readonly status: 'missing'; readonly atMs: number }

/** A source, ready to be asked. */
export interface Collector {
  /** What there is to fetch. `marks` are those that lists have left. */
  lists(
    request: CollectRequest,
    source: SourceClient,
    marks: ReadonlyMap<string, string>,
  ): readonly CollectList[]
  /** One item. Called for several at once. */
  fetch(item: ListedItem, source: SourceClient): Promise<Collected>
}
