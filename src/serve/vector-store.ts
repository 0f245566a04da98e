import type { Json } from '../model/sync.ts'

/** Turns texts into vectors of one length; filled by the doorway. The same text gives the same vector. */
export interface EmbedPort {
  /** Provider, model and length: vectors of two ids are not comparable. */
  readonly id: string
  readonly dimensions: number
  /** One normalised vector for each text, in order. @throws PlatformError, `later` when the provider is away */
  embed(
    texts: readonly string[],
    kind: 'passage' | 'query',
    signal?: AbortSignal,
  ): Promise<EmbeddedTexts>
}

export interface EmbeddedTexts {
  readonly vectors: readonly Float32Array[]
  /** Texts that were computed or paid for; the others were remembered. */
  readonly computed: number
}

/** What a search may ask of the vectors' metadata; all must hold. */
export interface VectorFilter {
  readonly yearMin?: number
  readonly yearMax?: number
  /** Has one of them. */
  readonly genres?: readonly string[]
}

export interface VectorHit {
  readonly collection: string
  readonly id: string
  /** Better is higher; comparable within one answer only. */
  readonly score: number
  readonly values: Readonly<Record<string, Json>>
  readonly text: string
}

/** Reading a vector store; see `SyncTarget` for writing. Used by searches while a sync writes. */
export interface VectorSearch {
  /** Nearest first, by cosine. */
  nearest(query: VectorQuery): Promise<readonly VectorHit[]>
  /** Best first, by BM25 over the embedded text; `undefined` where the store cannot. */
  matching?(query: TextQuery): Promise<readonly VectorHit[]>
}

export interface VectorQuery {
  readonly collection: string
  readonly vector: Float32Array
  readonly filter: VectorFilter
  readonly limit: number
}

export interface TextQuery {
  readonly collection: string
  readonly text: string
  readonly filter: VectorFilter
  readonly limit: number
}
