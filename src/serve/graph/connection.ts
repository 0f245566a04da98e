/** The little that we need of a graph store that speaks Cypher. */
export interface GraphConnection {
  readonly dialect: GraphDialect
  /** Rows of one statement. @throws SinkUnavailableError, SinkConfigError, SinkFailedError */
  run(cypher: string, parameters?: GraphParameters): Promise<readonly GraphRow[]>
  /** Statements that become visible together, or not at all. Work may be done twice where the store asks for it. */
  transaction<T>(work: (run: GraphConnection['run']) => Promise<T>): Promise<T>
  close(): Promise<void>
}

/**
 * Parameters hold texts, lists of texts, nulls, and lists of such objects; statements cast. One embedded engine takes the type of a list's numbers from the
 * first of them, and reads the others wrong.
 */
export type GraphParameters = Readonly<Record<string, GraphParameter>>
export type GraphParameter =
  | string
  | null
  | readonly string[]
  | readonly Readonly<Record<string, string | null | readonly string[]>>[]
export type GraphRow = Readonly<Record<string, unknown>>

/** Where the two engines differ. */
export interface GraphDialect {
  /** Node and edge tables must be declared with their columns; else constraints and indexes are. */
  readonly needsTables: boolean
  /**
   * New edges go in by COPY. LadybugDB 0.19 gives all edges that an UNWIND creates the end and the properties of its first row, and its MERGE of an edge
   * takes milliseconds; COPY does neither. It sees only nodes that are committed.
   */
  readonly copiesEdges: boolean
  /** A text as a value of a type, as an expression. */
  cast(expression: string, type: 'int' | 'float' | 'text' | 'bool' | 'texts'): string
  /** A list of texts as whole numbers. */
  castInts(expression: string): string
}
