import type { EngineConnection } from './engine.ts'
import { EngineFailedError, QueryRefusedError, SqlError } from './errors.ts'
import { quoteText } from './quote-identifier.ts'
import { filterOf, type RowFilter } from './row-filter.ts'
import { callSpan, pastTableSpans, type Span } from './sql-spans.ts'
import { constantArguments, pointOf, type QueryPoint } from './time-travel.ts'

/** A table as a statement names it; lower case, `schema` empty when it was left out. */
export interface TableName {
  readonly schema: string
  readonly name: string
  /** What the statement asks of its rows, where that is the same wherever it names the table. */
  readonly filter?: RowFilter | undefined
}

/** `schema.name AT (VERSION => 3)`: a table as it once was. */
export interface PastTable extends TableName {
  /** Empty when the statement gives none. */
  readonly alias: string
  readonly point: QueryPoint
  readonly span: Span
  readonly atSpan: Span
}

/** `delta('PATH', version => 3)` */
export interface TableCall {
  /** Lower case. */
  readonly function: string
  readonly place: string
  readonly point: QueryPoint | undefined
  readonly filter: RowFilter | undefined
  readonly span: Span
}

/** What one read-only statement reads, found by parsing it. */
export interface ReadStatement {
  /** Tables and views, without the statement's own CTEs. */
  readonly tables: readonly TableName[]
  readonly pastTables: readonly PastTable[]
  /** Calls of the functions that were said to be known. */
  readonly calls: readonly TableCall[]
  /** Anything that goes beyond the tables: `read_csv(…)`, `memory.main.x`, `SHOW TABLES`. Words for people. */
  readonly reaches: readonly string[]
  /**
   * Where the text says `system.…`: DuckDB has a catalog of that name itself, so our schema has to be told apart from it. Byte offsets
   * into the statement, ascending.
   */
  readonly systemReferences: readonly number[]
  /** The parser's tree, as JSON text. */
  readonly tree: string
}

export interface ReadOptions {
  /** Names of table functions whose calls are told, and are no reaching out. Lower case. Default: none. */
  readonly functions?: readonly string[]
}

/** Table functions that only compute. */
const PURE_TABLE_FUNCTIONS = new Set([
  'range',
  'generate_series',
  'unnest',
  'json_each',
  'json_tree',
])
const PLAIN_SOURCES = new Set([
  'BASE_TABLE',
  'SUBQUERY',
  'JOIN',
  'EMPTY',
  'EXPRESSION_LIST',
  'PIVOT',
])
/** Scalar functions that look beyond their arguments. */
const REACHING_FUNCTION =
  /^(getenv|current_setting|getvariable|query|query_table|write_log|json_serialize_plan|json_execute_.*|read_.*|duckdb_.*|pragma_.*)$/

/** Functions that make texts as long as a number says. Such texts are not within the engine's limit of memory, nor can their making be stopped. */
const GROWING_FUNCTIONS = new Set(['repeat', 'lpad', 'rpad'])
/** Of the numbers of all of them in a statement, multiplied: they may stand within one another. */
const GROWTH_MAX = 1_000_000

/**
 * Parse a statement that must be one `SELECT` (or `FROM`, `VALUES`, `DESCRIBE`, `SUMMARIZE`), possibly behind
 * `EXPLAIN`. Nothing runs. @throws QueryRefusedError for anything else, SqlError when it does not parse
 */
export async function readStatement(
  connection: EngineConnection,
  sql: string,
  { functions = [] }: ReadOptions = {},
): Promise<ReadStatement> {
  const explain = /^\s*explain(\s+analyze)?\s+/i.exec(sql)
  const plain = explain === null ? sql : sql.slice(explain[0].length)
  const [row] = await connection.rows(`SELECT json_serialize_sql(${quoteText(plain)})`)
  const parsed = JSON.parse(row![0] as string, exactIntegers as never) as Parsed
  if (parsed.error) throw refusal(parsed, plain)
  if (parsed.statements.length !== 1)
    throw new QueryRefusedError(
      `A query is one statement, this text has ${parsed.statements.length}. Nothing was run; send them one by one.`,
    )
  const before = Buffer.byteLength(explain?.[0] ?? '')
  const found: Found = {
    ...{ sql, before, functions: new Set(functions) },
    ...{ tables: new Map(), pastTables: [], calls: [] },
    ...{
      ctes: new Set<string>(),
      reaches: new Set(),
      system: [],
      growth: { by: 1 },
      filters: new Map(),
    },
  }
  walk(parsed.statements[0], found)
  const tables = [...found.tables.values()]
  const systemReferences = found.system.map((at) => at + before).sort((a, b) => a - b)
  const { pastTables, calls } = found
  const tree = row![0] as string
  return { tables, pastTables, calls, reaches: [...found.reaches], systemReferences, tree }
}

/** Snapshot ids have more digits than a JavaScript number; such come as text. */
function exactIntegers(_key: string, value: unknown, context: { readonly source?: string }) {
  const { source } = context
  return typeof value === 'number' && source !== undefined && /^-?\d{16,}$/.test(source)
    ? source
    : value
}

type Parsed =
  | { readonly error: false; readonly statements: readonly unknown[] }
  | {
      readonly error: true
      readonly error_type: string
      readonly error_message: string
      readonly position?: string
    }

function refusal(parsed: Parsed & { error: true }, sql: string): Error {
  if (parsed.error_type === 'not implemented')
    return new QueryRefusedError(
      'Only reading is possible here: SELECT, FROM, VALUES, DESCRIBE, SUMMARIZE, EXPLAIN. Nothing was run. ' +
        '(A PIVOT must list its values with IN.)',
    )
  if (parsed.error_type !== 'parser')
    return new EngineFailedError(`DuckDB could not parse the statement: ${parsed.error_message}`)
  const position = parsed.position === undefined ? {} : { position: Number(parsed.position) }
  return new SqlError({
    sql,
    facts: { type: 'Parser', text: parsed.error_message, candidates: [], ...position },
  })
}

interface Found {
  readonly sql: string
  /** Bytes of the statement in front of what was parsed. */
  readonly before: number
  readonly functions: ReadonlySet<string>
  readonly pastTables: PastTable[]
  readonly calls: TableCall[]
  readonly tables: Map<string, TableName>
  /** Names that the statement itself gives to queries, where they hold: elsewhere the engine would take such a name for a file. */
  readonly ctes: ReadonlySet<string>
  readonly reaches: Set<string>
  readonly system: number[]
  /** How many times longer than what they are made of texts may become. */
  readonly growth: { by: number }
  /** By the node of the table in a `FROM` of its own. */
  readonly filters: Map<unknown, RowFilter>
}

/** Look at every node of the serialized statement, whatever it hangs under. */
function walk(node: unknown, found: Found): void {
  if (Array.isArray(node)) {
    for (const child of node) walk(child, found)
    return
  }
  if (typeof node !== 'object' || node === null) return
  const fields = node as Record<string, unknown>
  if (fields.type === 'SELECT_NODE') {
    const filter = filterOf(fields)
    if (filter !== undefined) found.filters.set(fields.from_table, filter)
  }
  if ('sample' in fields && 'alias' in fields) source(fields, found)
  if (fields.class === 'FUNCTION') {
    const name = String(fields.function_name).toLowerCase()
    if (REACHING_FUNCTION.test(name)) found.reaches.add(`${name}()`)
    if (GROWING_FUNCTIONS.has(name)) {
      found.growth.by *= growthOf(fields.children)
      if (!(found.growth.by <= GROWTH_MAX)) found.reaches.add(`${name}() beyond a million`)
    }
  }
  const { cte_map: ctes, ...others } = fields
  const inside = walkCtes(ctes, found)
  if (fields.type === 'RECURSIVE_CTE_NODE') walkRecursion(others, inside)
  else for (const child of Object.values(others)) walk(child, inside)
}

/** How many times as long a text becomes; not a number where the statement would only know when it runs. */
function growthOf(children: unknown): number {
  const [, count] = children as readonly { readonly value?: { readonly value?: unknown } }[]
  return Math.max(1, Number(count?.value?.value ?? Number.NaN))
}

interface CteMap {
  readonly map?: readonly { readonly key: string; readonly value: unknown }[]
}

/** Look at the queries of a WITH. Each sees those before it; what comes out sees all of them. */
function walkCtes(ctes: unknown, found: Found): Found {
  let inside = found
  for (const { key, value } of (ctes as CteMap | undefined)?.map ?? []) {
    walk(value, inside)
    inside = naming(key, inside)
  }
  return inside
}

/** Only the part behind UNION sees the name that is being made. */
function walkRecursion(
  { cte_name: name, right, ...others }: Record<string, unknown>,
  found: Found,
): void {
  for (const child of Object.values(others)) walk(child, found)
  walk(right, naming(String(name), found))
}

/** A name with a dot, a slash or a star is what files are called by, and no query needs one. */
function naming(name: string, found: Found): Found {
  if (/[./\\:*?[]/.test(name)) found.reaches.add(`a query named "${name}"`)
  return { ...found, ctes: new Set([...found.ctes, name.toLowerCase()]) }
}

function source(fields: Record<string, unknown>, found: Found): void {
  const type = String(fields.type)
  if (type === 'BASE_TABLE') {
    const schema = String(fields.schema_name).toLowerCase()
    const name = String(fields.table_name).toLowerCase()
    if (fields.catalog_name !== '')
      found.reaches.add([fields.catalog_name, schema, name].filter(Boolean).join('.'))
    else if (fields.at_clause !== undefined && fields.at_clause !== null)
      pastTable(fields, { schema, name }, found)
    else if (schema !== '' || !found.ctes.has(name)) {
      // Named twice, a table has to have the rows for both.
      const filter = found.tables.has(`${schema}.${name}`) ? undefined : found.filters.get(fields)
      found.tables.set(`${schema}.${name}`, { schema, name, filter })
      if (schema === 'system') found.system.push(Number(fields.query_location))
    }
  } else if (type === 'TABLE_FUNCTION') {
    const call = fields.function as { function_name?: string; children?: unknown }
    const name = String(call.function_name).toLowerCase()
    if (found.functions.has(name)) tableCall(fields, name, call.children, found)
    else if (!PURE_TABLE_FUNCTIONS.has(name)) found.reaches.add(`${name}()`)
  } else if (type === 'SHOW_REF') {
    if (fields.query === null) found.reaches.add('SHOW')
  } else if (!PLAIN_SOURCES.has(type)) found.reaches.add(type)
}

function pastTable(fields: Record<string, unknown>, table: TableName, found: Found): void {
  const { name, at } = pastTableSpans(found.sql, found.before + Number(fields.query_location))
  const { unit, expr } = fields.at_clause as { unit: string; expr: unknown }
  const what = `${table.schema}.${table.name} AT (…)`
  const given = constantArguments([{ ...(expr as object), alias: unit }], what)
  const point = pointOf(given, what)!
  const alias = String(fields.alias ?? '')
  const filter = found.filters.get(fields)
  found.pastTables.push({ ...table, filter, alias, point, span: name, atSpan: at })
}

function tableCall(
  fields: Record<string, unknown>,
  name: string,
  children: unknown,
  found: Found,
): void {
  const given = constantArguments(children as readonly unknown[], `${name}(…)`)
  const place = given.get('')
  if (place === undefined || place === '')
    throw new QueryRefusedError(
      `${name}() wants a table first, as text: ${name}('PATH') or ${name}('layer.table'). Nothing was run.`,
    )
  const point = pointOf(given, `${name}(…)`)
  const span = callSpan(found.sql, found.before + Number(fields.query_location))
  const filter = found.filters.get(fields)
  found.calls.push({ function: name, place, point, filter, span })
}
