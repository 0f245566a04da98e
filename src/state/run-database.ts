/** A cell as both databases give it; whole numbers are numbers. */
export type Cell = string | number | null
export type Cells = Readonly<Record<string, Cell>>

/** SQL in the words that SQLite and PostgreSQL share, with its values as $1, $2, …; every value is used. */
export interface Statement {
  readonly sql: string
  readonly values: readonly Cell[]
}

/** Where runs are kept: the state file of a home, or PostgreSQL when several platforms share them. */
export interface RunDatabase {
  /** SQL for the database's own time in milliseconds since 1970, which leases go by: clocks of several machines differ. */
  readonly nowMsSql: string
  /** Whether other homes use it too. */
  readonly shared: boolean
  /**
   * Run statements in one transaction; the rows of each. Durable when it returns.
   * @throws StateUnavailableError
   */
  all(statements: readonly Statement[]): Promise<readonly (readonly Cells[])[]>
  close(): Promise<void>
}
