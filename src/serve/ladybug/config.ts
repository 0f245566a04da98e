// A graph in this process: LadybugDB, one file in the home folder, Cypher. Writes: nodes and edges in transactions, fsynced on commit; delivery is at
// least once, and writing twice is writing once. Unsupported: other processes on the same file while the platform runs, lists of lists.

export interface LadybugConfig {
  /** The database's file; beside it lie its log and lock. */
  readonly file: string
  readonly memoryBytesMax: number
  readonly threads: number
}

export const LADYBUG_DEFAULTS = Object.freeze({ memoryBytesMax: 256 * 1024 ** 2, threads: 2 })
