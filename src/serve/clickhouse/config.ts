// Serving from ClickHouse, a server or the embedded chDB (ClickHouse in this process, an optional package), through the same statements.
// Writes: one row for each item, `ReplacingMergeTree(batch_version, is_deleted)`: the newest version of a key counts, a removal is a row that says so.
// Delivery: at least once, and writing twice is writing once. Readers ask with FINAL, or see versions that are not merged yet.
// Unsupported: changing the columns of a table that is there (the platform drops and fills it anew), clusters and their ON CLUSTER.

export interface ClickHouseServerConfig {
  /** `http://host:8123` or `https://…` */
  readonly url: string
  readonly user: string
  readonly password: { reveal(): string } | null
  readonly requestTimeoutMs: number
}

/** The embedded engine's own limits: it shares the machine with everything else. */
export interface ChdbConfig {
  readonly folder: string
  readonly memoryBytesMax: number
  readonly threads: number
}

export const CLICKHOUSE_DEFAULTS = Object.freeze({
  user: 'default',
  // A batch of a thousand rows takes milliseconds; a minute means that something is wrong with the server.
  requestTimeoutMs: 60_000,
})

export const CHDB_DEFAULTS = Object.freeze({ memoryBytesMax: 1024 ** 3, threads: 2 })
