// Vectors in a Pinecone index, by its HTTP API (https://docs.pinecone.io/reference/api/2025-04/data-plane). Writes: upserts with text and metadata,
// deletes by id; delivery is at least once, and writing twice is writing once. The index is made by its owner, with cosine and the length of the
// embedding model. Pinecone keeps no transactions and answers reads a little late, so the cursors and the versions that guard writes are kept in
// the home folder. Unsupported: search by words (BM25 needs a sparse index), nested metadata.

export interface PineconeConfig {
  /** The index's own host, with `https://`. */
  readonly host: string
  readonly apiKey: { reveal(): string }
  /** Where cursors and versions are remembered: an SQLite file. */
  readonly memoryFile: string
  readonly timeoutMs: number
}

export const PINECONE_DEFAULTS = Object.freeze({ timeoutMs: 30_000 })

/** Limits of one upsert and one delete (https://docs.pinecone.io/reference/api/database-limits). */
export const PINECONE_LIMITS = Object.freeze({
  upsertCountMax: 1_000,
  upsertBytesMax: 2 * 1024 ** 2,
  deleteCountMax: 1_000,
  metadataBytesMax: 40 * 1024,
  fetchCountMax: 100,
})

export const PINECONE_API_VERSION = '2025-04'
