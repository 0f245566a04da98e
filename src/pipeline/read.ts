import { PlatformError } from '../model/errors.ts'
import type { Json, SyncRow } from '../model/sync.ts'

/** A read route of a pipeline on the HTTP API, as a value. */
export interface ReadPlan {
  /** Below `/v1/<pipeline>/`; segments such as `:id` are parameters of the path. */
  readonly path: string
  readonly summary: string
  readonly description?: string
  /** After the question mark. */
  readonly query: Readonly<Record<string, ReadParameter>>
  readonly answer: (request: ReadRequest, stores: ReadStores) => Promise<Json>
}

export interface ReadOptions<Query extends Readonly<Record<string, ReadParameter>>> {
  readonly summary: string
  readonly description?: string
  readonly query?: Query
  readonly answer: (
    request: ReadRequest & { readonly query: QueryOf<Query> },
    stores: ReadStores,
  ) => Promise<Json>
}

/** A parameter with its limits; what is outside them is refused before the route is asked. */
export type ReadParameter =
  | {
      readonly type: 'text'
      readonly doc: string
      readonly required?: true
      readonly oneOf?: readonly string[]
      /** In characters. Default 200. */
      readonly lengthMax?: number
      readonly example?: string
    }
  | {
      readonly type: 'int'
      readonly doc: string
      readonly required?: true
      readonly default?: number
      readonly min: number
      readonly max: number
      readonly example?: number
    }

type ValueOf<P> = P extends { readonly type: 'int' } ? number : string
export type QueryOf<Query> = {
  readonly [Name in keyof Query]: Query[Name] extends { readonly required: true }
    ? ValueOf<Query[Name]>
    : Query[Name] extends { readonly default: number }
      ? number
      : ValueOf<Query[Name]> | undefined
}

export interface ReadRequest {
  /** Of the path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, string | number | undefined>>
  readonly signal: AbortSignal
}

/** What a route may read. Nothing in here writes. */
export interface ReadStores {
  /** Rows of a lake table by whole numbers in a column; columns that are named, or all. */
  rows(request: RowsRequest): Promise<readonly SyncRow[]>
  /**
   * Rows of a Cypher statement that both graph engines understand. Parameters are texts and lists of texts; `cast` turns them into
   * numbers. @throws ReadRefusedError when there is no graph yet
   */
  graph(
    cypher: (cast: GraphCasts) => string,
    parameters: Readonly<Record<string, string | readonly string[]>>,
  ): Promise<readonly SyncRow[]>
  /** Best titles first: by words (BM25), by meaning (vectors), or both, ranks put together. */
  search(request: SearchRequest): Promise<SearchAnswer>
  /** What a language model says, or `undefined` where none is configured. */
  complete(messages: readonly ChatMessage[]): Promise<string | undefined>
}

export interface RowsRequest {
  readonly table: string
  readonly column: string
  readonly in: readonly number[]
  readonly columns?: readonly string[]
}

export interface GraphCasts {
  int(expression: string): string
  ints(expression: string): string
}

export interface SearchRequest {
  /** Namespaces of the vector store. */
  readonly collections: readonly string[]
  readonly text: string
  readonly mode: 'hybrid' | 'text' | 'vector'
  readonly yearMin?: number | undefined
  readonly yearMax?: number | undefined
  readonly genres?: readonly string[]
  readonly limit: number
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[]
  /** Ways of searching that the store could not do. */
  readonly without: readonly ('text' | 'vector')[]
}

export interface SearchHit {
  readonly collection: string
  readonly id: string
  /** Of the ranks put together; comparable within one answer. */
  readonly score: number
  /** Place in either list, from 1. */
  readonly textRank: number | null
  readonly vectorRank: number | null
  /** BM25 over the words, and the cosine of the vectors; null where the list does not have it. */
  readonly textScore: number | null
  readonly vectorScore: number | null
  readonly values: SyncRow
  readonly text: string
}

export interface ChatMessage {
  readonly role: 'system' | 'user'
  readonly content: string
}

/** A read that cannot be answered as asked: what is wrong, and the HTTP status that says so. */
export class ReadRefusedError extends PlatformError {
  readonly code = 'READ_REFUSED'
  readonly retry = 'never'
  readonly status: 400 | 404 | 503

  constructor(status: 400 | 404 | 503, message: string) {
    super(message)
    this.status = status
  }
}
