import { createHash } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { EmbeddedAs, Embedder } from './embedder.ts'

/** Vectors by what they are made from, so that no text is ever computed or paid for twice, whichever target asks. */
export interface EmbeddingCache {
  readonly id: string
  readonly dimensions: number
  embed(
    texts: readonly string[],
    kind: EmbeddedAs,
    signal?: AbortSignal,
  ): Promise<{ readonly vectors: readonly Float32Array[]; readonly computed: number }>
  close(): void
}

/** Texts asked of the embedder at once; what was paid for is kept before the next ones are asked. */
const CHUNK_TEXT_COUNT = 256

/** An embedder with a memory in one SQLite file. Losing the file costs time or money and nothing else. */
export function cachedEmbedder(embedder: Embedder, file: string): EmbeddingCache {
  mkdirSync(path.dirname(file), { recursive: true })
  const database = new DatabaseSync(file, { timeout: 5_000 })
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; CREATE TABLE IF NOT EXISTS embeddings (hash BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID',
  )
  const find = database.prepare('SELECT vector FROM embeddings WHERE hash = ?')
  const keep = database.prepare('INSERT OR REPLACE INTO embeddings (hash, vector) VALUES (?, ?)')
  const { id, dimensions } = embedder

  return {
    id,
    dimensions,
    async embed(texts, kind, signal) {
      const keys = texts.map((text) => keyOf(id, kind, text))
      const found = new Map<string, Float32Array>()
      const missing = new Map<string, string>()
      for (const [index, key] of keys.entries()) {
        const name = key.toString('hex')
        if (found.has(name) || missing.has(name)) continue
        const row = find.get(key) as { vector: Uint8Array } | undefined
        if (row === undefined) missing.set(name, texts[index]!)
        else found.set(name, floats(row.vector))
      }
      const wanted = [...missing]
      for (let at = 0; at < wanted.length; at += CHUNK_TEXT_COUNT) {
        const chunk = wanted.slice(at, at + CHUNK_TEXT_COUNT)
        const vectors = await embedder.embed(
          chunk.map(([, text]) => text),
          kind,
          signal,
        )
        database.exec('BEGIN')
        for (const [index, [name]] of chunk.entries()) {
          const vector = vectors[index]!
          found.set(name, vector)
          keep.run(
            Buffer.from(name, 'hex'),
            new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
          )
        }
        database.exec('COMMIT')
      }
      return {
        vectors: keys.map((key) => found.get(key.toString('hex'))!),
        computed: wanted.length,
      }
    },
    close: () => database.close(),
  }
}

const keyOf = (id: string, kind: EmbeddedAs, text: string) =>
  createHash('sha256').update(`${id}\n${kind}\n${text}`).digest()

/** A copy, because SQLite's bytes need not begin at a multiple of four. */
const floats = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer)
