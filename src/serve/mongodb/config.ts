// MongoDB as a store of documents.
//
// Writes: one document for one key of a lake table, replaced when its row changes and guarded by version; whole collections, replaced at once.
// Delivery: idempotent. A single document is written whole or not at all; several are not one transaction, so a reader may see some documents
// of a version before the others. The cursor moves last, and what was taken since is taken again after a crash. Needs no replica set.
// Not supported: change streams, sharded renames (a collection that is replaced whole must not be sharded).

export interface MongoConfig {
  /** `mongodb://user:password@host:port`; the password never appears in a message. */
  readonly url: Secret
  readonly database: string
  /** A server that does not answer for so long is away. */
  readonly selectionTimeoutMs: number
}

/** A text that cannot be printed by accident. */
export interface Secret {
  reveal(): string
}

/** A restart of a server takes a few seconds; longer is worth a word to a person. */
export const DEFAULT_MONGO_CONFIG = Object.freeze({
  database: 'mekong',
  selectionTimeoutMs: 5_000,
})

export function mongoConfig({
  url,
  ...rest
}: { readonly url: string } & Partial<Omit<MongoConfig, 'url'>>): MongoConfig {
  return Object.freeze({
    ...DEFAULT_MONGO_CONFIG,
    ...rest,
    url: Object.freeze({ reveal: () => url, toJSON: () => '(secret)', toString: () => '(secret)' }),
  })
}

/** The server and database, for messages. */
export function mongoName({ url, database }: MongoConfig): string {
  const hosts = /^mongodb(?:\+srv)?:\/\/(?:[^@/]*@)?([^/?]+)/.exec(url.reveal())?.[1]
  return `the MongoDB database ${database} at ${hosts ?? 'an address that cannot be read'}`
}
