// SQL set in lines: each clause begins one, what a clause lists is below it, words of the language are capitals. Nothing but white space and the case
// of these words changes. Pure, and small: a formatter that knows every dialect would be most of the page.

const CLAUSES = [
  ...['WITH', 'SELECT', 'FROM', 'WHERE', 'GROUP BY', 'HAVING', 'WINDOW', 'QUALIFY', 'ORDER BY'],
  ...['LIMIT', 'OFFSET', 'UNION ALL', 'UNION', 'EXCEPT', 'INTERSECT', 'VALUES'],
] as const
const JOINS = ['LEFT', 'RIGHT', 'FULL', 'INNER', 'CROSS', 'ASOF', 'SEMI', 'ANTI', 'JOIN']
const WORDS = new Set(
  `${CLAUSES.join(' ')} ${JOINS.join(' ')} AS ON USING AND OR NOT IN IS NULL LIKE ILIKE BETWEEN EXISTS CASE WHEN THEN ELSE END
  ASC DESC NULLS FIRST LAST DISTINCT ALL OVER PARTITION ROWS RANGE PRECEDING FOLLOWING UNBOUNDED CURRENT ROW FILTER CAST INTERVAL RECURSIVE
  MATERIALIZED OUTER LATERAL TRUE FALSE EXPLAIN DESCRIBE SUMMARIZE AT VERSION EXCLUDE REPLACE`.split(
    /\s+/,
  ),
)

const TOKEN =
  /(--[^\n]*)|(\/\*[\s\S]*?\*\/)|('(?:[^']|'')*'|"(?:[^"]|"")*"|\$\$[\s\S]*?\$\$)|([A-Za-z_][\w$]*)|(\d[\w.]*)|(::|->>|->|<=|>=|<>|!=|\|\||=>|[^\s\w])/g

interface Token {
  readonly kind: 'comment' | 'quoted' | 'word' | 'number' | 'sign'
  readonly text: string
}

/** The same statement, set in lines. */
export function formatSql(sql: string): string {
  const tokens = tokensOf(sql)
  const lines: string[] = []
  let line = ''
  /** Brackets that stand open: how far a query in one is set in, or that it holds none. */
  const open: (number | 'plain')[] = []
  const depth = () => open.findLast((each) => each !== 'plain') ?? 0
  const newLine = (indent: number) => {
    if (line.trim() !== '') lines.push(line.trimEnd())
    line = '  '.repeat(Math.max(0, indent))
  }
  for (const [index, token] of tokens.entries()) {
    const { kind, text } = token
    const before = tokens[index - 1]
    const isInPlain = open.at(-1) === 'plain'
    if (kind === 'comment') {
      line = `${line.trim() === '' ? line : `${line.trimEnd()} `}${text}`
      newLine(depth() + 1)
      continue
    }
    if (text === ')') {
      const closed = open.pop()
      if (typeof closed === 'number') newLine(closed - 1)
      line = `${line.trimEnd() === '' ? line : line.trimEnd()})`
      continue
    }
    const upper = text.toUpperCase()
    if (kind === 'word' && !isInPlain && before?.text !== '.') {
      if (isClause(upper, before, tokens[index + 1])) newLine(depth())
      else if (JOINS.includes(upper) && !JOINS.includes(before?.text.toUpperCase() ?? ''))
        newLine(depth())
      else if ((upper === 'AND' || upper === 'OR') && !isBetween(tokens, index))
        newLine(depth() + 1)
    }
    line += `${spaceBefore(token, before, line)}${textOf(token, before)}`
    if (text === '(') {
      const holdsQuery = /^(SELECT|WITH|FROM|VALUES)$/i.test(tokens[index + 1]?.text ?? '')
      const indent = (line.length - line.trimStart().length) / 2
      open.push(holdsQuery ? indent + 1 : 'plain')
      if (holdsQuery) newLine(indent + 1)
    }
    if (text === ',' && !isInPlain && isLong(tokens, index)) newLine(depth() + 1)
  }
  newLine(0)
  return lines.join('\n')
}

function tokensOf(sql: string): readonly Token[] {
  return [...sql.matchAll(TOKEN)].map(([text, line, block, quoted, word, number]) => ({
    kind:
      (line ?? block) !== undefined
        ? 'comment'
        : quoted !== undefined
          ? 'quoted'
          : word !== undefined
            ? 'word'
            : number !== undefined
              ? 'number'
              : 'sign',
    text,
  }))
}

function isClause(upper: string, before: Token | undefined, after: Token | undefined): boolean {
  // `GROUP BY` is one clause, `UNION ALL` another; `DISTINCT FROM` and `FILTER (WHERE …)` are none.
  if (before?.text.toUpperCase() === 'DISTINCT' && upper === 'FROM') return false
  const both = `${upper} ${after?.text.toUpperCase()}`
  return CLAUSES.some((clause) => clause === upper || clause === both)
}

function isBetween(tokens: readonly Token[], at: number): boolean {
  for (let index = at - 1; index >= Math.max(0, at - 8); index -= 1) {
    const upper = tokens[index]!.text.toUpperCase()
    if (upper === 'BETWEEN') return true
    if (upper === 'AND' || upper === 'OR' || upper === 'WHERE') return false
  }
  return false
}

const LIST_LENGTH_MAX = 72

/** Whether what a comma stands in is too long for one line. */
function isLong(tokens: readonly Token[], at: number): boolean {
  let [from, to, depth] = [at, at, 0]
  const ends = ({ text }: Token) =>
    CLAUSES.some((clause) => clause.split(' ')[0] === text.toUpperCase())
  for (; from > 0; from -= 1) {
    const { text } = tokens[from]!
    depth += text === ')' ? 1 : text === '(' ? -1 : 0
    if (depth < 0 || (depth === 0 && ends(tokens[from]!))) break
  }
  for (depth = 0; to < tokens.length; to += 1) {
    const { text } = tokens[to]!
    depth += text === '(' ? 1 : text === ')' ? -1 : 0
    if (depth < 0 || (depth === 0 && ends(tokens[to]!))) break
  }
  const length = tokens.slice(from, to).reduce((sum, { text }) => sum + text.length + 1, 0)
  return length > LIST_LENGTH_MAX
}

/** Words of the language are capitals, but for one that names a column: `t.version`. */
const textOf = ({ kind, text }: Token, before: Token | undefined) =>
  kind === 'word' && before?.text !== '.' && WORDS.has(text.toUpperCase())
    ? text.toUpperCase()
    : text

const TIGHT_BEFORE = new Set([',', ')', '.', ';', '::', ']', '['])
const TIGHT_AFTER = new Set(['(', '.', '::', '[', '{'])

function spaceBefore({ kind, text }: Token, before: Token | undefined, line: string): string {
  if (before === undefined || line.trim() === '') return ''
  if (TIGHT_BEFORE.has(text) || TIGHT_AFTER.has(before.text)) return ''
  // A function and its bracket belong together; a word of the language and a bracket do not.
  if (text === '(') {
    const isCall = before.kind === 'word' && !WORDS.has(before.text.toUpperCase())
    return isCall || before.kind === 'quoted' ? '' : ' '
  }
  const isSign = before.kind === 'sign' && /^[-+]$/.test(before.text)
  if (isSign && kind === 'number' && /[(,=<>+*/-]$/.test(line.slice(0, -1).trimEnd())) return ''
  return ' '
}
