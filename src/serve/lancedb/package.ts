import { SinkConfigError } from '../errors.ts'

// As much of the optional packages `@lancedb/lancedb` and `apache-arrow` as we call, spelled out so that the compiler does not need them.

export interface LanceTable {
  mergeInsert(on: string): LanceMerge
  delete(where: string): Promise<unknown>
  query(): LanceQuery
  createIndex(column: string, options: { config: unknown; replace?: boolean }): Promise<void>
  listIndices(): Promise<readonly { readonly name: string; readonly columns: readonly string[] }[]>
  indexStats(name: string): Promise<{ readonly numUnindexedRows: number } | undefined>
  countRows(): Promise<number>
  /** Grows by one with every commit. */
  version(): Promise<number>
  optimize(): Promise<unknown>
  checkoutLatest(): Promise<void>
  close(): void
}
interface LanceMerge {
  whenMatchedUpdateAll(options?: { where: string }): LanceMerge
  whenNotMatchedInsertAll(): LanceMerge
  execute(rows: unknown): Promise<unknown>
}
export interface LanceQuery extends AsyncIterable<{ toArray(): { toJSON(): LanceRow }[] }> {
  select(columns: readonly string[]): LanceQuery
  where(condition: string): LanceQuery
  limit(count: number): LanceQuery
  fullTextSearch(text: string, options?: { columns: readonly string[] }): LanceQuery
  nearestTo(vector: Float32Array): LanceQuery & { distanceType(type: 'cosine'): LanceQuery }
  toArray(): Promise<LanceRow[]>
}
export type LanceRow = Record<string, unknown>

export interface LanceDatabase {
  tableNames(): Promise<readonly string[]>
  createEmptyTable(name: string, schema: unknown, options: { existOk: true }): Promise<LanceTable>
  openTable(name: string): Promise<LanceTable>
  dropTable(name: string): Promise<void>
  close(): void
}

export interface LancePackage {
  connect(folder: string): Promise<LanceDatabase>
  makeArrowTable(rows: readonly object[], options: { schema: unknown }): unknown
  readonly Index: { fts(options: object): unknown; btree(): unknown }
}

export interface ArrowPackage {
  readonly Schema: new (fields: readonly object[]) => object
  readonly Field: new (name: string, type: object, nullable: boolean) => object
  readonly Utf8: new () => object
  readonly Int64: new () => object
  readonly Float64: new () => object
  readonly Float32: new () => object
  readonly Bool: new () => object
  readonly List: new (item: object) => object
  readonly FixedSizeList: new (length: number, item: object) => object
}

/** @throws SinkConfigError where they are not installed */
export async function loadLance(): Promise<{ lance: LancePackage; arrow: ArrowPackage }> {
  try {
    // Names that no compiler looks up.
    const [lance, arrow]: string[] = ['@lancedb/lancedb', 'apache-arrow']
    return {
      lance: (await import(lance!)) as LancePackage,
      arrow: (await import(arrow!)) as ArrowPackage,
    }
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw cause
    throw new SinkConfigError(
      'The embedded vector store needs the optional package @lancedb/lancedb, which is not installed. Run npm install --include=optional, or set PINECONE_API_KEY and PINECONE_HOST.',
      { cause },
    )
  }
}
