import { SparkDialectError } from './errors.ts'
import { constantText, type Node, quoted, sparkType, textLiteral } from './words.ts'

/** A call as it is translated. */
export interface Call {
  /** In Spark's dialect; asked for only where they are used as they are. */
  readonly args: readonly string[]
  /** The same arguments as DuckDB has them, for those that must be constants. */
  readonly nodes: readonly Node[]
}

/** A function of DuckDB's as Spark has it. @throws SparkDialectError for one that is not known to be the same */
export function functionSql(name: string, call: Call): string {
  const special = SPECIAL[name]
  if (special !== undefined) return special(call)
  const same = SAME.has(name) ? name : RENAMED[name]
  if (same !== undefined) return `${same}(${call.args.join(', ')})`
  if (OPERATORS.has(name)) {
    const args = call.args
    return args.length === 1 ? `(${name} ${args[0]})` : `(${args.join(` ${name} `)})`
  }
  throw new SparkDialectError(
    `This model cannot be said in Spark's SQL: the function ${name} has no counterpart that is known to be the same.`,
  )
}

const SAME = new Set([
  ...['count', 'sum', 'min', 'max', 'avg', 'first', 'last', 'stddev', 'stddev_samp', 'variance'],
  ...['row_number', 'rank', 'dense_rank', 'lag', 'lead', 'ntile', 'first_value', 'last_value'],
  ...[
    'lower',
    'upper',
    'trim',
    'ltrim',
    'rtrim',
    'length',
    'replace',
    'concat',
    'concat_ws',
    'split_part',
  ],
  ...[
    'abs',
    'round',
    'floor',
    'ceil',
    'least',
    'greatest',
    'nullif',
    'md5',
    'reverse',
    'substring',
  ],
  ...['year', 'month', 'day', 'hour', 'minute', 'coalesce', 'date_trunc'],
  ...['bit_and', 'bit_or', 'bit_xor', 'bit_count'],
])

const RENAMED: Readonly<Record<string, string>> = {
  arg_max: 'max_by',
  arg_min: 'min_by',
  max_by: 'max_by',
  min_by: 'min_by',
  list_value: 'array',
  list_transform: 'transform',
  list_apply: 'transform',
  list_filter: 'filter',
  list_contains: 'array_contains',
  list: 'collect_list',
  array_agg: 'collect_list',
  list_sort: 'array_sort',
  array_sort: 'array_sort',
  len: 'size',
  unnest: 'explode',
  any_value: 'any_value',
  chr: 'char',
  starts_with: 'startswith',
  epoch_us: 'unix_micros',
  epoch_ms: 'unix_millis',
}

const OPERATORS = new Set(['+', '-', '*', '%', '||'])

const SPECIAL: Readonly<Record<string, (call: Call) => string>> = {
  count_star: () => 'count(*)',
  // DuckDB divides as fractions, whatever the numbers are.
  '/': ({ args: [a, b] }) => `(CAST(${a} AS DOUBLE) / CAST(${b} AS DOUBLE))`,
  '//': ({ args: [a, b] }) => `(${a} DIV ${b})`,
  // What does not fit is an error in DuckDB and wraps in Spark; what fits is the same.
  '<<': ({ args: [a, b] }) => `shiftleft(${a}, CAST(${b} AS INT))`,
  '~~': ({ args: [a, b] }) => `(${a} LIKE ${b})`,
  '!~~': ({ args: [a, b] }) => `(${a} NOT LIKE ${b})`,
  // Sessions are in UTC, where an instant and its wall clock read the same.
  timezone: ({ args, nodes }) => {
    if (constantText(nodes[0]) !== 'UTC') throw refusal('AT TIME ZONE with another zone than UTC')
    return `CAST(${args[1]} AS TIMESTAMP_NTZ)`
  },
  to_days: ({ nodes }) => `INTERVAL '${wholeNumber(nodes[0])}' DAY`,
  to_hours: ({ nodes }) => `INTERVAL '${wholeNumber(nodes[0])}' HOUR`,
  to_minutes: ({ nodes }) => `INTERVAL '${wholeNumber(nodes[0])}' MINUTE`,
  strftime: ({ args, nodes }) => `date_format(${args[0]}, ${textLiteral(datePattern(nodes[1]))})`,
  // Without the option g the first match alone is replaced; a pattern that begins with ^ has no other.
  regexp_replace: ({ args, nodes }) => {
    const isGlobal = constantText(nodes[3]) === 'g'
    if (!isGlobal && constantText(nodes[1])?.startsWith('^') !== true)
      throw refusal(
        "regexp_replace of the first match; anchor the pattern with ^, or give the option 'g'",
      )
    return `regexp_replace(${args.slice(0, 3).join(', ')})`
  },
  regexp_matches: ({ args: [a, b] }) => `(${a} RLIKE ${b})`,
  json_valid: ({ args: [a] }) => `(try_parse_json(${a}) IS NOT NULL)`,
  json_type: ({ args: [a] }) =>
    `CASE split_part(schema_of_variant(try_parse_json(${a})), '<', 1) WHEN 'STRING' THEN 'VARCHAR' WHEN 'OBJECT' THEN 'OBJECT' WHEN 'ARRAY' THEN 'ARRAY' WHEN 'VOID' THEN 'NULL' WHEN 'BOOLEAN' THEN 'BOOLEAN' ELSE 'NUMBER' END`,
  json_extract_string: ({ args, nodes }) => {
    const [document] = args
    const at = (node: Node) => {
      const path = constantText(node)
      if (path === undefined) throw refusal('json_extract_string with a path that is no constant')
      return `try_variant_get(try_parse_json(${document}), ${textLiteral(path)}, 'string')`
    }
    const path = nodes[1]!
    return path.function_name === 'list_value'
      ? `array(${(path.children as Node[]).map(at).join(', ')})`
      : at(path)
  },
  // Composed by the ICU library that Spark itself collates with; it has no function of its own for that.
  nfc_normalize: ({ args: [a] }) =>
    `CASE WHEN ${a} IS NOT NULL THEN reflect('com.ibm.icu.text.Normalizer', 'compose', ${a}, false) END`,
  // Days, hours and so on whose beginnings lie between the two.
  date_diff: ({ args, nodes }) => {
    if (constantText(nodes[0]) !== 'day') throw refusal('date_diff in other units than days')
    return `CAST(datediff(${args[2]}, ${args[1]}) AS BIGINT)`
  },
  // Nothing found is null here, and 0 there.
  list_position: ({ args: [list, value] }) => `nullif(array_position(${list}, ${value}), 0)`,
  // No text at all is null here, and an empty one there.
  list_aggregate: ({ args: [list, , separator], nodes }) => {
    if (constantText(nodes[1]) !== 'string_agg')
      throw refusal("list_aggregate with another function than 'string_agg'")
    return `CASE WHEN exists(${list}, x -> x IS NOT NULL) THEN array_join(${list}, ${separator}) END`
  },
  to_json: ({ args: [a] }) => `to_json(${a}, map('ignoreNullFields', 'false'))`,
  // Structs are compared field by field when their fields have the same names.
  row: ({ args }) =>
    `named_struct(${args.map((arg, index) => `'f${index + 1}', ${arg}`).join(', ')})`,
  json_transform: ({ args: [document], nodes }) => {
    const structure = constantText(nodes[1])
    if (structure === undefined) throw refusal('json_transform into what is no constant')
    return `from_json(${document}, ${textLiteral(structureType(JSON.parse(structure)))})`
  },
  struct_pack: ({ args, nodes }) =>
    `named_struct(${args.map((arg, index) => `${textLiteral(String(nodes[index]!.alias))}, ${arg}`).join(', ')})`,
  struct_extract: ({ args, nodes }) => {
    const field = constantText(nodes[1])
    if (field === undefined) throw refusal('struct_extract of a field that is no constant')
    return `${args[0]}.\`${field}\``
  },
}

const refusal = (what: string) =>
  new SparkDialectError(`This model cannot be said in Spark's SQL: it has ${what}.`)

/** The number in an interval, which DuckDB wraps into casts. */
function wholeNumber(node: Node | undefined): number {
  let at = node
  while (at !== undefined && at.class !== 'CONSTANT')
    at = (at.child ?? (at.children as Node[] | undefined)?.[0]) as Node | undefined
  const number = (at?.value as Node | undefined)?.value
  if (typeof number === 'number' && Number.isInteger(number)) return number
  throw refusal('an interval that is no constant')
}

/** A structure of `json_transform` as a type: `{"a": ["VARCHAR"]}` is a struct with a list of texts. */
function structureType(structure: unknown): string {
  if (typeof structure === 'string') return sparkType({ id: structure.toUpperCase() })
  if (Array.isArray(structure)) return `ARRAY<${structureType(structure[0])}>`
  const fields = Object.entries(structure as object).map(
    ([name, type]) => `${quoted(name)}: ${structureType(type)}`,
  )
  return `STRUCT<${fields.join(', ')}>`
}

const DATE_LETTERS: Readonly<Record<string, string>> = {
  Y: 'yyyy',
  m: 'MM',
  d: 'dd',
  H: 'HH',
  M: 'mm',
  S: 'ss',
}

function datePattern(node: Node | undefined): string {
  const format = constantText(node)
  if (format === undefined) throw refusal('strftime with a format that is no constant')
  return format.replaceAll(/%(.)|([A-Za-z]+)/g, (_, letter?: string, word?: string) => {
    if (word !== undefined) return `'${word}'`
    const found = DATE_LETTERS[letter!]
    if (found === undefined) throw refusal(`strftime with %${letter}`)
    return found
  })
}
