import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import {
  DuckDBBlobValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  type DuckDBValue,
} from '@duckdb/node-api'
import type { ComputeEngine, EngineConnection } from './engine.ts'
import { QueryRefusedError, SqlError } from './errors.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import type { RowFilter } from './row-filter.ts'
import { withReplacements } from './sql-spans.ts'
import { type ReadStatement, readStatement, type TableName } from './statement.ts'
import type { QueryPoint } from './time-travel.ts'

// People's questions. In: one read-only statement, and the tables it may name. Out: typed columns and rows that JSON can hold, or a
// file. Each query sees its tables in a catalog of its own, so two queries at once may see two versions of a table, and
// none sees the engine's relations by accident.

/** A table that queries may name as `schema.name`. */
export interface QueryTable {
  readonly schema: string
  readonly name: string
  /** SQL that yields the table's rows; asked for only when a query names the table. By default as they are now. */
  readonly select: (point?: QueryPoint, filter?: RowFilter) => string | Promise<string>
  /** Whether `select` knows the table's past: `FROM schema.name AT (VERSION => 3)`. Default: false. */
  readonly keepsHistory?: boolean
  /** Other tables that the SQL names, for views. Default: none. */
  readonly reads?: readonly TableName[]
}

/**
 * SQL that yields the rows of a table which a statement names by a function: `delta('PATH', version => 3)`. The function's owner decides
 * what may be named. @throws PlatformError
 */
export type QueryFunction = (
  place: string,
  point: QueryPoint | undefined,
  filter: RowFilter | undefined,
) => Promise<string>

export interface QueryOptions {
  readonly sql: string
  readonly tables: readonly QueryTable[]
  /** By lower-case name. Default: none, and then a sandboxed query cannot call any. */
  readonly functions?: Readonly<Record<string, QueryFunction>>
  /**
   * `true` lets the query reach its tables and nothing else: no files, no settings, no other catalogs. For questions from
   * outside. The owner of the machine may read files.
   */
  readonly sandboxed?: boolean
  /** Rows beyond are not fetched. */
  readonly rowCountMax?: number
  /** The query is interrupted after so long. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
}

/** Sandboxed unless said otherwise. A page can show ten thousand rows, and a person waits a minute. */
export const DEFAULT_QUERY_OPTIONS = Object.freeze({
  sandboxed: true,
  rowCountMax: 10_000,
  timeoutMs: 60_000,
})

/**
 * Whole numbers are numbers up to 2^53 and text beyond; decimals, instants (`2023-11-29 05:09:27.89+00`), days and intervals are text;
 * NaN and infinities are text; binary is `\x` and hexadecimal; maps are lists of `{key, value}`.
 */
export type QueryCell =
  | string
  | number
  | boolean
  | null
  | readonly QueryCell[]
  | { readonly [name: string]: QueryCell }

export interface QueryResult {
  /** `type` in DuckDB's spelling. Names may repeat. */
  readonly columns: readonly { readonly name: string; readonly type: string }[]
  readonly rows: readonly (readonly QueryCell[])[]
  /** Whether there were more rows than `rowCountMax`. */
  readonly truncated: boolean
  readonly elapsedMs: number
}

/**
 * Answer a query. Rows without ORDER BY come in no particular order.
 * @throws SqlError (with the known tables when one was unknown), QueryRefusedError, EngineInterruptedError, EngineMemoryError
 */
export async function runQuery(engine: ComputeEngine, options: QueryOptions): Promise<QueryResult> {
  const { rowCountMax } = { ...DEFAULT_QUERY_OPTIONS, ...options }
  const startMs = performance.now()
  return withTables(engine, options, async (connection, query, signal) => {
    const { names, types, chunks } = await connection.open(query, signal)
    const rows: QueryCell[][] = []
    let truncated = false
    for await (const chunk of chunks) {
      for (const row of chunk.getRows()) {
        truncated = rows.length === rowCountMax
        if (truncated) break
        rows.push(row.map(queryCell))
      }
      if (truncated) break
    }
    const columns = names.map((name, index) => ({ name, type: String(types[index]) }))
    return { columns, rows, truncated, elapsedMs: performance.now() - startMs }
  })
}

const FORMATS: Record<string, string> = {
  '.parquet': 'FORMAT parquet, COMPRESSION zstd',
  '.csv': 'FORMAT csv, HEADER true',
  '.json': 'FORMAT json, ARRAY true',
  '.ndjson': 'FORMAT json, ARRAY false',
}

/**
 * Write all rows of a query into a file; its ending says the format. The file appears whole or not at all, replacing one of the same
 * name. @throws as `runQuery`, EngineIoError
 */
export async function exportQuery(
  engine: ComputeEngine,
  options: QueryOptions & { readonly path: string },
): Promise<{ readonly rowCount: number }> {
  const format = FORMATS[path.extname(options.path).toLowerCase()]
  if (format === undefined)
    throw new QueryRefusedError(
      `Cannot tell the format of ${options.path}. Use one of these endings: ${Object.keys(FORMATS).join(', ')}.`,
    )
  const partial = `${options.path}.partial`
  return withTables(engine, options, async (connection, query, signal) => {
    try {
      const sql = query.replace(/[;\s]+$/, '')
      // The line end closes a comment that the query may end with.
      const result = await connection.run(`COPY (${sql}\n) TO ${quoteText(partial)} (${format})`, {
        signal,
      })
      await rename(partial, options.path)
      return { rowCount: Number((await result.getRows())[0]![0]) }
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
  })
}

/** The tables that a statement names, as `schema.name` in lower case. @throws SqlError */
export async function namedTables(engine: ComputeEngine, sql: string): Promise<readonly string[]> {
  const connection = await engine.connection()
  try {
    const { tables, pastTables } = await readStatement(connection, sql)
    return [...tables, ...pastTables].map(({ schema, name }) => `${schema}.${name}`)
  } finally {
    connection.close()
  }
}

async function withTables<T>(
  engine: ComputeEngine,
  options: QueryOptions,
  work: (connection: EngineConnection, sql: string, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { sql, tables, sandboxed, timeoutMs } = { ...DEFAULT_QUERY_OPTIONS, ...options }
  const stop = AbortSignal.timeout(timeoutMs)
  const signal = options.signal === undefined ? stop : AbortSignal.any([stop, options.signal])
  const connection = await engine.connection()
  const catalog = engine.relationName('query')
  try {
    const { functions = {} } = options
    const statement = await readStatement(connection, sql, { functions: Object.keys(functions) })
    if (sandboxed) refuseReaching(statement, tables)
    await connection.run(`ATTACH ':memory:' AS ${catalog}`)
    try {
      await makeViews(connection, catalog, statement, tables)
      const text = await inCatalog({ connection, catalog, sql, statement, tables, functions })
      return await work(connection, text, signal)
    } finally {
      await connection.run('USE memory')
      await connection.run(`DETACH ${catalog}`)
    }
  } catch (error) {
    if (error instanceof SqlError && isUnknownTable(error))
      throw new SqlError({ facts: error.facts, sql, hint: knownTables(tables), cause: error.cause })
    throw error
  } finally {
    connection.close()
  }
}

async function makeViews(
  connection: EngineConnection,
  catalog: string,
  statement: ReadStatement,
  tables: readonly QueryTable[],
): Promise<void> {
  await connection.run(`USE ${catalog}`)
  const made = new Set<QueryTable>()
  // What a view reads has to have all its rows, whatever the statement asks of the same table beside it.
  const isPlain = statement.tables.every(
    ({ schema, name }) => findTable(tables, schema, name)?.reads === undefined,
  )
  const make = async ({ schema, name, filter }: TableName): Promise<void> => {
    const table = findTable(tables, schema, name)
    if (table === undefined || made.has(table)) return
    made.add(table)
    for (const read of table.reads ?? []) await make(read)
    const quoted = quoteIdentifier(table.schema)
    await connection.run(`CREATE SCHEMA IF NOT EXISTS ${catalog}.${quoted}`)
    const select = await table.select(undefined, isPlain ? filter : undefined)
    await connection.run(
      `CREATE VIEW ${catalog}.${quoted}.${quoteIdentifier(table.name)} AS ${select}`,
    )
  }
  for (const table of statement.tables) await make(table)
}

interface Rewriting {
  readonly connection: EngineConnection
  readonly catalog: string
  readonly sql: string
  readonly statement: ReadStatement
  readonly tables: readonly QueryTable[]
  readonly functions: Readonly<Record<string, QueryFunction>>
}

/** The statement with names of its own catalog for what cannot be a view under the name that was written. */
async function inCatalog(rewriting: Rewriting): Promise<string> {
  const { connection, catalog, sql, statement, tables, functions } = rewriting
  const replacements = statement.systemReferences.map((at) => ({
    ...{ start: at, end: at },
    by: `${catalog}.`,
  }))
  const viewOf = async (name: string, select: string) => {
    const view = `${catalog}.main.${quoteIdentifier(name)}`
    await connection.run(`CREATE VIEW ${view} AS ${select}`)
    return view
  }
  for (const [index, call] of statement.calls.entries()) {
    const select = await functions[call.function]!(call.place, call.point, call.filter)
    const view = await viewOf(`${call.function}_${index + 1}`, select)
    replacements.push({ ...call.span, by: view })
  }
  for (const [index, past] of statement.pastTables.entries()) {
    const { schema, name, point, filter, alias, span, atSpan } = past
    const table = findTable(tables, schema, name)
    if (table === undefined) throw unknownTable(schema, name, tables)
    if (table.keepsHistory !== true)
      throw new QueryRefusedError(
        `${schema}.${name} is known as it is now alone, so AT cannot be used with it. Nothing was run.`,
      )
    const select = await table.select(point, filter)
    const view = await viewOf(`${schema}.${name} at ${pointText(point)} (${index + 1})`, select)
    const by = alias === '' ? `${view} AS ${quoteIdentifier(table.name)}` : view
    replacements.push({ ...span, by }, { ...atSpan, by: '' })
  }
  return withReplacements(sql, replacements)
}

const pointText = (point: QueryPoint) => Object.values(point).map(String).join()

function findTable(tables: readonly QueryTable[], schema: string, name: string) {
  return tables.find((t) => t.schema.toLowerCase() === schema && t.name.toLowerCase() === name)
}

/** @throws QueryRefusedError, SqlError when a table is not among those given */
function refuseReaching(statement: ReadStatement, tables: readonly QueryTable[]): void {
  if (statement.reaches.length > 0)
    throw new QueryRefusedError(
      `A query here may only read the platform's tables, not ${statement.reaches.join(', ')}. Nothing was run.`,
    )
  for (const { schema, name } of statement.tables)
    if (findTable(tables, schema, name) === undefined) throw unknownTable(schema, name, tables)
}

function unknownTable(schema: string, name: string, tables: readonly QueryTable[]): SqlError {
  const asked = schema === '' ? name : `${schema}.${name}`
  return new SqlError({
    facts: {
      type: 'Catalog',
      kind: 'Table',
      name: asked,
      text: `There is no table ${asked}.`,
      candidates: [],
    },
    sql: '',
    hint: knownTables(tables),
  })
}

/** DuckDB says so of a table in a known schema; of an unknown schema it says only that the catalog has nothing. */
function isUnknownTable({ facts }: SqlError): boolean {
  return facts.type === 'Catalog' && (facts.kind === 'Table' || facts.kind === undefined)
}

const KNOWN_TABLE_COUNT_MAX = 50

function knownTables(tables: readonly QueryTable[]): string {
  if (tables.length === 0) return 'There are no tables yet.'
  const names = tables.map(({ schema, name }) => `${schema}.${name}`).sort()
  const more = names.length - KNOWN_TABLE_COUNT_MAX
  return `Tables: ${names.slice(0, KNOWN_TABLE_COUNT_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}.`
}

/** A value of the engine as JSON can hold it. */
export function queryCell(value: DuckDBValue): QueryCell {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'bigint': {
      const number = Number(value)
      return Number.isSafeInteger(number) ? number : String(value)
    }
  }
  if (value === null) return null
  if (value instanceof DuckDBListValue) return value.items.map(queryCell)
  if (value instanceof DuckDBStructValue)
    return Object.fromEntries(Object.entries(value.entries).map(([k, v]) => [k, queryCell(v)]))
  if (value instanceof DuckDBMapValue)
    return value.entries.map((e) => ({ key: queryCell(e.key), value: queryCell(e.value) }))
  if (value instanceof DuckDBBlobValue) return `\\x${Buffer.from(value.bytes).toString('hex')}`
  return String(value)
}
