import { SparkDialectError } from './errors.ts'

// The smallest parts of Spark's SQL: names, literals, types.

/** A node of the tree that DuckDB serializes. */
export type Node = Readonly<Record<string, unknown>>

export const quoted = (name: string): string => `\`${name.replaceAll('`', '``')}\``

/** Spark reads backslashes in texts; DuckDB does not. */
export const textLiteral = (text: string): string =>
  `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

/** The view under which a table of the lake is known to a session of Spark: it has no schemas. */
export const relationName = (table: string): string => table.replace('.', '__')

/** A constant as DuckDB serializes it. */
export function literal(value: Node): string {
  const { id, type_info } = value.type as { id: string; type_info?: { scale?: number } }
  if (value.is_null === true || id === 'NULL') return 'NULL'
  const raw = value.value
  if (id === 'VARCHAR') return textLiteral(String(raw))
  if (id === 'DECIMAL') {
    const scale = type_info?.scale ?? 0
    const digits = String(raw).padStart(scale + 1, '0')
    return scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  }
  if (id === 'DOUBLE' || id === 'FLOAT') return `${String(raw)}D`
  if (typeof raw === 'number' || typeof raw === 'boolean') return String(raw)
  throw new SparkDialectError(`A constant of type ${id} cannot be said in Spark's SQL.`)
}

const TYPES: Readonly<Record<string, string>> = {
  BOOLEAN: 'BOOLEAN',
  TINYINT: 'TINYINT',
  SMALLINT: 'SMALLINT',
  INTEGER: 'INT',
  BIGINT: 'BIGINT',
  HUGEINT: 'DECIMAL(38, 0)',
  FLOAT: 'FLOAT',
  DOUBLE: 'DOUBLE',
  VARCHAR: 'STRING',
  BLOB: 'BINARY',
  DATE: 'DATE',
  TIMESTAMP: 'TIMESTAMP_NTZ',
  'TIMESTAMP WITH TIME ZONE': 'TIMESTAMP',
}

/** A type as DuckDB serializes it. */
export function sparkType({ id, type_info }: Node): string {
  const info = (type_info ?? {}) as {
    width?: number
    scale?: number
    child_type?: Node
    child_types?: { first: string; second: Node }[]
  }
  if (id === 'DECIMAL') return `DECIMAL(${info.width ?? 18}, ${info.scale ?? 3})`
  if (id === 'LIST') return `ARRAY<${sparkType(info.child_type!)}>`
  if (id === 'STRUCT')
    return `STRUCT<${info.child_types!.map(({ first, second }) => `${quoted(first)}: ${sparkType(second)}`).join(', ')}>`
  const type = TYPES[String(id)]
  if (type === undefined)
    throw new SparkDialectError(`The type ${String(id)} cannot be said in Spark's SQL.`)
  return type
}

/** A constant text; `undefined` for anything else. */
export function constantText(node: Node | undefined): string | undefined {
  const value = node?.value as Node | undefined
  return node?.class === 'CONSTANT' && typeof value?.value === 'string' ? value.value : undefined
}

/** A constant number; `undefined` for anything else. */
export function constantNumber(node: Node | undefined): number | undefined {
  const value = node?.value as Node | undefined
  return node?.class === 'CONSTANT' && typeof value?.value === 'number' ? value.value : undefined
}
