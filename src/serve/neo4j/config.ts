// A graph on a Neo4j server over Bolt. Writes: nodes and edges by batched UNWIND, each batch in one transaction; delivery is at least once, and writing twice
// is writing once. Unsupported: other databases than the user's own when none is named, multi-statement schema migrations.

export interface Neo4jConfig {
  /** `bolt://host:7687`, `neo4j://…`, or the same with `+s` for TLS. */
  readonly uri: string
  readonly user: string
  readonly password: { reveal(): string } | null
  readonly database?: string
  readonly connectTimeoutMs: number
}

export const NEO4J_DEFAULTS = Object.freeze({ user: 'neo4j', connectTimeoutMs: 10_000 })
