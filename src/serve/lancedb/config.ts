// Vectors in this process: LanceDB, a folder of tables, one for each namespace. Writes: merges by id, guarded by version, with text and metadata beside the vector;
// delivery is at least once, and writing twice is writing once. BM25 over the same rows. Unsupported: approximate indexes (a scan of a
// hundred thousand vectors takes milliseconds), changing the columns of a table that is there (it is dropped and filled anew).

export interface LanceConfig {
  readonly folder: string
}
