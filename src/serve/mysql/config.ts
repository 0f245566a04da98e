// Serving from MySQL 8 or MariaDB 10.5 and newer. Writes whole tables: into a new table beside the old one, 10,000 rows a statement, then one RENAME TABLE
// that swaps them, which no reader can see half-way. Delivery is exactly-once by version: the new table carries it in its comment.
// Unsupported: rows from topics (`p.serve`), client certificates.

export interface MysqlConfig {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly connectTimeoutMs: number
}

export const MYSQL_DEFAULTS = Object.freeze({
  // Long enough for a server that is just failing over, short enough for a person who waits.
  connectTimeoutMs: 10_000,
})

/** Rows of one INSERT: the original's batch; at a few hundred bytes a row well within the server's packet. */
export const INSERT_ROW_COUNT = 10_000
/** A statement is cut before it comes near MariaDB's default `max_allowed_packet` of 16 MiB. */
export const INSERT_BYTES_MAX = 4 * 1024 * 1024
