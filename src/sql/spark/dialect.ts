import { SparkDialectError } from './errors.ts'
import { functionSql } from './functions.ts'
import { hexadecimalOf, sliceOfText } from './texts.ts'
import {
  constantText,
  literal,
  type Node,
  quoted,
  relationName,
  sparkType,
  textLiteral,
} from './words.ts'

// A statement in DuckDB's dialect as one in Spark's. In: the tree that DuckDB's own parser makes of it (`json_serialize_sql`), so that
// nothing is guessed from text. Out: text that asks Spark the same. What has no same meaning there is an error and never
// a guess. Known to differ: rounding of a fraction that is cast to a whole number, which DuckDB rounds and Spark cuts.

/** What a translated statement may refer to. */
export interface SparkContext {
  /** What `run_time()` says, ISO 8601. */
  readonly runTime: string
  /** What `parameter('name')` says; null for any other name. */
  readonly parameters: Readonly<Record<string, string | null>>
}

/** The statement for Spark. Tables become views named by `relationName`. @throws SparkDialectError */
export const sparkSql = (statement: unknown, context: SparkContext): string =>
  new Printer(context).query((statement as { node: Node }).node)

class Printer {
  readonly #context: SparkContext
  /** Parameters of the lambdas around that stand for the place of an element. */
  readonly #places = new Set<string>()

  constructor(context: SparkContext) {
    this.#context = context
  }

  query(node: Node): string {
    const { map = [] } = (node.cte_map ?? {}) as { map?: { key: string; value: Node }[] }
    const ctes = map.map(({ key, value }) => {
      const aliases = ((value.aliases ?? []) as string[]).map(quoted).join(', ')
      const body = this.query((value.query as { node: Node }).node)
      return `${quoted(key)}${aliases === '' ? '' : ` (${aliases})`} AS (${body})`
    })
    const head = ctes.length === 0 ? '' : `WITH ${ctes.join(', ')} `
    if (node.type === 'SET_OPERATION_NODE') return `${head}${this.#setOperation(node)}`
    if (node.type !== 'SELECT_NODE') throw unknown(`a query of type ${String(node.type)}`)
    return `${head}${this.#select(node)}`
  }

  #setOperation(node: Node): string {
    const { setop_type: type, setop_all: all, left, right } = node
    const children = (node.children ?? [left, right]) as Node[]
    const word = `${String(type)}${all === true ? ' ALL' : ''}`
    if (!['UNION', 'EXCEPT', 'INTERSECT'].includes(String(type))) throw unknown(String(type))
    const parts = children.map((child) => `(${this.query(child)})`)
    return `${parts.join(` ${word} `)}${this.#modifiers(node).tail}`
  }

  #select(node: Node): string {
    const { distinct, tail } = this.#modifiers(node)
    const items = (node.select_list as Node[]).map((item) => this.#item(item))
    const { qualify } = node
    // Spark has no QUALIFY: the condition is a column of the rows, and chooses among them one level up.
    const isQualified = qualify !== undefined && qualify !== null
    if (isQualified) items.push(`${this.expression(qualify as Node)} AS ${QUALIFIED}`)
    const parts = [
      `SELECT ${distinct && !isQualified ? 'DISTINCT ' : ''}${items.join(', ')}`,
      this.#from(node.from_table as Node),
      this.#clause('WHERE', node.where_clause),
      this.#groups(node),
      this.#clause('HAVING', node.having),
    ].filter((part) => part !== '')
    if (!isQualified) return `${parts.join(' ')}${tail}`
    return `SELECT ${distinct ? 'DISTINCT ' : ''}* EXCEPT (${QUALIFIED}) FROM (${parts.join(' ')}) WHERE ${QUALIFIED}${tail}`
  }

  #item(item: Node): string {
    const alias = String(item.alias ?? '')
    const sql = this.expression(item)
    if (item.class === 'STAR' || alias === '') return sql
    return `${sql} AS ${quoted(alias)}`
  }

  #clause(word: string, condition: unknown): string {
    return condition === undefined || condition === null
      ? ''
      : `${word} ${this.expression(condition as Node)}`
  }

  #groups(node: Node): string {
    if (node.aggregate_handling === 'FORCE_AGGREGATES') return 'GROUP BY ALL'
    const groups = (node.group_expressions ?? []) as Node[]
    const sets = (node.group_sets ?? []) as number[][]
    if (groups.length === 0) return ''
    if (sets.length > 1) throw unknown('grouping sets')
    return `GROUP BY ${groups.map((group) => this.expression(group)).join(', ')}`
  }

  #modifiers(node: Node): { readonly distinct: boolean; readonly tail: string } {
    let distinct = false
    const tail: string[] = []
    for (const modifier of (node.modifiers ?? []) as Node[]) {
      if (modifier.type === 'DISTINCT_MODIFIER') {
        if (((modifier.distinct_on_targets ?? []) as Node[]).length > 0)
          throw unknown('DISTINCT ON; use QUALIFY row_number() OVER (…) = 1')
        distinct = true
      } else if (modifier.type === 'ORDER_MODIFIER') tail.push(this.#orders(modifier.orders))
      else if (modifier.type === 'LIMIT_MODIFIER') {
        tail.push(this.#clause('LIMIT', modifier.limit), this.#clause('OFFSET', modifier.offset))
      } else throw unknown(String(modifier.type))
    }
    const texts = tail.filter((part) => part !== '')
    return { distinct, tail: texts.length === 0 ? '' : ` ${texts.join(' ')}` }
  }

  #orders(orders: unknown): string {
    const list = ((orders ?? []) as Node[]).map(({ type, null_order, expression }) => {
      // DuckDB puts nulls last, whichever way it sorts.
      const nulls = null_order === 'NULLS FIRST' ? 'NULLS FIRST' : 'NULLS LAST'
      return `${this.expression(expression as Node)} ${type === 'DESCENDING' ? 'DESC' : 'ASC'} ${nulls}`
    })
    return list.length === 0 ? '' : `ORDER BY ${list.join(', ')}`
  }

  #from(table: Node): string {
    return table.type === 'EMPTY' ? '' : `FROM ${this.#source(table)}`
  }

  #source(table: Node): string {
    const alias = String(table.alias ?? '')
    const columns = ((table.column_name_alias ?? []) as string[]).map(quoted)
    const named = (name: string) =>
      name === ''
        ? ''
        : ` AS ${quoted(name)}${columns.length === 0 ? '' : ` (${columns.join(', ')})`}`
    switch (table.type) {
      case 'BASE_TABLE': {
        const [schema, name] = [String(table.schema_name ?? ''), String(table.table_name)]
        const relation = schema === '' ? name : relationName(`${schema}.${name}`)
        return `${quoted(relation)}${named(alias === '' ? name : alias)}`
      }
      case 'SUBQUERY':
        return `(${this.query((table.subquery as { node: Node }).node)})${named(alias)}`
      case 'JOIN':
        return this.#join(table)
      case 'EXPRESSION_LIST': {
        const rows = (table.values as Node[][]).map(
          (row) => `(${row.map((cell) => this.expression(cell)).join(', ')})`,
        )
        return `VALUES ${rows.join(', ')}${named(alias)}`
      }
      default:
        throw unknown(`${String(table.type)} in FROM`)
    }
  }

  #join(table: Node): string {
    const [left, right] = [table.left as Node, table.right as Node].map((side) =>
      this.#source(side),
    )
    if (table.ref_type === 'CROSS') return `${left} CROSS JOIN ${right}`
    if (table.ref_type !== 'REGULAR') throw unknown(`a ${String(table.ref_type)} join`)
    const word = JOINS[String(table.join_type)]
    if (word === undefined) throw unknown(`a ${String(table.join_type)} join`)
    const using = ((table.using_columns ?? []) as string[]).map(quoted)
    const on =
      using.length > 0
        ? ` USING (${using.join(', ')})`
        : ` ON ${this.expression(table.condition as Node)}`
    return `${left} ${word} JOIN ${right}${on}`
  }

  expression(node: Node): string {
    const children = () => ((node.children ?? []) as Node[]).map((child) => this.expression(child))
    switch (node.class) {
      case 'COLUMN_REF':
        return this.#column(node.column_names as string[])
      case 'CONSTANT':
        return literal(node.value as Node)
      case 'STAR':
        return this.#star(node)
      case 'CAST': {
        const digits = hexadecimalOf(node)
        if (digits !== undefined) return `CAST(conv(${this.expression(digits)}, 16, 10) AS BIGINT)`
        const word = node.try_cast === true ? 'TRY_CAST' : 'CAST'
        return `${word}(${this.expression(node.child as Node)} AS ${sparkType(node.cast_type as Node)})`
      }
      case 'CASE': {
        const checks = (node.case_checks as Node[]).map(
          ({ when_expr, then_expr }) =>
            `WHEN ${this.expression(when_expr as Node)} THEN ${this.expression(then_expr as Node)}`,
        )
        return `CASE ${checks.join(' ')} ELSE ${this.expression(node.else_expr as Node)} END`
      }
      case 'COMPARISON':
        return this.#comparison(node)
      case 'CONJUNCTION':
        return `(${children().join(node.type === 'CONJUNCTION_AND' ? ' AND ' : ' OR ')})`
      case 'BETWEEN': {
        const [input, lower, upper] = ['input', 'lower', 'upper'].map((part) =>
          this.expression(node[part] as Node),
        )
        return `(${input} BETWEEN ${lower} AND ${upper})`
      }
      case 'OPERATOR':
        return this.#operator(node, children())
      case 'SUBQUERY':
        return this.#subquery(node)
      case 'FUNCTION':
        return this.#call(node, children)
      case 'WINDOW':
        return this.#window(node, children())
      case 'LAMBDA':
        return this.#lambda(node)
      default:
        throw unknown(`an expression of class ${String(node.class)}`)
    }
  }

  #column(names: readonly string[]): string {
    const column = names.map(quoted).join('.')
    // The place of an element counts from 1 in DuckDB, from 0 in Spark.
    return names.length === 1 && this.#places.has(names[0]!) ? `(${column} + 1)` : column
  }

  #lambda({ lhs, expr }: Node): string {
    const { class: kind, children } = lhs as Node
    const [element, place] = (kind === 'FUNCTION' ? (children as Node[]) : [lhs as Node]).map(
      ({ column_names }) => (column_names as string[])[0]!,
    )
    if (place === undefined) return `${quoted(element!)} -> ${this.expression(expr as Node)}`
    this.#places.add(place)
    const body = this.expression(expr as Node)
    this.#places.delete(place)
    return `(${quoted(element!)}, ${quoted(place)}) -> ${body}`
  }

  #star(node: Node): string {
    const relation = String(node.relation_name ?? '')
    const left = ((node.exclude_list ?? []) as (string | { column?: string })[]).map((name) =>
      quoted(typeof name === 'string' ? name : String(name.column)),
    )
    if (((node.replace_list ?? []) as unknown[]).length > 0) throw unknown('* REPLACE')
    return `${relation === '' ? '' : `${quoted(relation)}.`}*${left.length === 0 ? '' : ` EXCEPT (${left.join(', ')})`}`
  }

  #comparison({ type, left, right }: Node): string {
    const [a, b] = [this.expression(left as Node), this.expression(right as Node)]
    if (type === 'COMPARE_DISTINCT_FROM') return `(NOT (${a} <=> ${b}))`
    const sign = COMPARISONS[String(type)]
    if (sign === undefined) throw unknown(String(type))
    return `(${a} ${sign} ${b})`
  }

  #operator(node: Node, children: readonly string[]): string {
    const [first, ...rest] = children
    switch (node.type) {
      case 'OPERATOR_NOT':
        return `(NOT ${first})`
      case 'OPERATOR_IS_NULL':
        return `(${first} IS NULL)`
      case 'OPERATOR_IS_NOT_NULL':
        return `(${first} IS NOT NULL)`
      case 'OPERATOR_COALESCE':
        return `coalesce(${children.join(', ')})`
      case 'COMPARE_IN':
        return `(${first} IN (${rest.join(', ')}))`
      case 'COMPARE_NOT_IN':
        return `(${first} NOT IN (${rest.join(', ')}))`
      case 'ARRAY_EXTRACT':
        // There is nothing at 0, of which Spark makes an error.
        return `try_element_at(${first}, nullif(CAST(${rest[0]} AS INT), 0))`
      case 'ARRAY_SLICE':
        return sliceOfText(node, first!)
      default:
        throw unknown(String(node.type))
    }
  }

  #subquery(node: Node): string {
    const query = this.query((node.subquery as { node: Node }).node)
    switch (node.subquery_type) {
      case 'SCALAR':
        return `(${query})`
      case 'EXISTS':
        return `EXISTS (${query})`
      case 'ANY':
        if (node.comparison_type === 'COMPARE_EQUAL')
          return `(${this.expression(node.child as Node)} IN (${query}))`
    }
    throw unknown(`a ${String(node.subquery_type)} subquery`)
  }

  #call(node: Node, children: () => readonly string[]): string {
    const name = String(node.function_name).toLowerCase()
    if (name === 'run_time') return `TIMESTAMP '${this.#context.runTime}'`
    if (name === 'parameter') return this.#parameter(node)
    const ordered = ((node.order_bys as Node | undefined)?.orders ?? []) as Node[]
    if (ordered.length > 0) throw unknown(`${name}(… ORDER BY …)`)
    const call = functionSql(name, {
      get args() {
        return node.distinct === true ? [`DISTINCT ${children().join(', ')}`] : children()
      },
      nodes: (node.children ?? []) as Node[],
    })
    const filter = node.filter as Node | null | undefined
    return filter === undefined || filter === null
      ? call
      : `${call} FILTER (WHERE ${this.expression(filter)})`
  }

  #parameter(node: Node): string {
    const name = constantText((node.children as Node[])[0])
    if (name === undefined) throw unknown('parameter(…) of a name that is no constant')
    const value = this.#context.parameters[name] ?? null
    return value === null ? 'CAST(NULL AS STRING)' : textLiteral(value)
  }

  #window(node: Node, args: readonly string[]): string {
    const name = String(node.function_name).toLowerCase()
    const offset = node.offset_expr as Node | null | undefined
    const given =
      offset === undefined || offset === null ? args : [...args, this.expression(offset)]
    const call = functionSql(name, { args: given, nodes: (node.children ?? []) as Node[] })
    const partitions = ((node.partitions ?? []) as Node[]).map((part) => this.expression(part))
    const filter = node.filter_expr as Node | null | undefined
    const parts = [
      partitions.length === 0 ? '' : `PARTITION BY ${partitions.join(', ')}`,
      this.#orders(node.orders),
      RANKING.has(name) ? '' : this.#frame(node),
    ].filter((part) => part !== '')
    const filtered =
      filter === undefined || filter === null ? '' : ` FILTER (WHERE ${this.expression(filter)})`
    return `${call}${filtered} OVER (${parts.join(' ')})`
  }

  #frame(node: Node): string {
    if (((node.orders ?? []) as Node[]).length === 0) return ''
    const edge = (bound: unknown, expression: unknown): string => {
      const text = String(bound)
      if (text.startsWith('UNBOUNDED_')) return text.replace('_', ' ')
      if (text.startsWith('CURRENT_ROW')) return 'CURRENT ROW'
      return `${this.expression(expression as Node)} ${text.includes('PRECEDING') ? 'PRECEDING' : 'FOLLOWING'}`
    }
    const unit = [node.start, node.end].some((bound) => String(bound).endsWith('_ROWS'))
      ? 'ROWS'
      : 'RANGE'
    return `${unit} BETWEEN ${edge(node.start, node.start_expr)} AND ${edge(node.end, node.end_expr)}`
  }
}

const QUALIFIED = '_qualified'
const RANKING = new Set([
  'row_number',
  'rank',
  'dense_rank',
  'lag',
  'lead',
  'ntile',
  'percent_rank',
])
const JOINS: Readonly<Record<string, string>> = {
  INNER: 'INNER',
  LEFT: 'LEFT',
  RIGHT: 'RIGHT',
  FULL: 'FULL OUTER',
  SEMI: 'LEFT SEMI',
  ANTI: 'LEFT ANTI',
}
const COMPARISONS: Readonly<Record<string, string>> = {
  COMPARE_EQUAL: '=',
  COMPARE_NOTEQUAL: '<>',
  COMPARE_LESSTHAN: '<',
  COMPARE_LESSTHANOREQUALTO: '<=',
  COMPARE_GREATERTHAN: '>',
  COMPARE_GREATERTHANOREQUALTO: '>=',
  COMPARE_NOT_DISTINCT_FROM: '<=>',
}

const unknown = (what: string) =>
  new SparkDialectError(`This model cannot be said in Spark's SQL: it has ${what}.`)
