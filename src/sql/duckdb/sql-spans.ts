/**
 * Where things end in the text of a statement that parsed: DuckDB's tree says where a table begins and not where it ends. Places are
 * byte offsets, as the tree has them.
 */

export interface Span {
  readonly start: number
  /** Exclusive. */
  readonly end: number
}

/** A call that begins at `start`: to the parenthesis that closes it. */
export function callSpan(sql: string, start: number): Span {
  const text = textFrom(sql, start)
  return { start, end: start + bytesOf(text, closingEnd(text, 0)) }
}

/** A table's name that begins at `start`, and the `AT (…)` that follows it, behind an alias or not. */
export function pastTableSpans(
  sql: string,
  start: number,
): { readonly name: Span; readonly at: Span } {
  const text = textFrom(sql, start)
  const nameEnd = text.length - text.replace(QUALIFIED_NAME, '').length
  let before = { text: '', at: 0 }
  for (const token of tokens(text, nameEnd)) {
    if (token.text === '(' && /^at$/i.test(before.text)) {
      const end = closingEnd(text, token.at)
      return {
        name: { start, end: start + bytesOf(text, nameEnd) },
        at: { start: start + bytesOf(text, before.at), end: start + bytesOf(text, end) },
      }
    }
    before = token
  }
  throw new TypeError(`no AT clause follows ${JSON.stringify(text.slice(0, 40))}`)
}

/** The statement with spans replaced; they must not overlap. */
export function withReplacements(
  sql: string,
  replacements: readonly (Span & { readonly by: string })[],
): string {
  const bytes = Buffer.from(sql)
  const parts: string[] = []
  let at = 0
  for (const { start, end, by } of replacements.toSorted((a, b) => a.start - b.start)) {
    parts.push(bytes.subarray(at, start).toString(), by)
    at = end
  }
  return parts.join('') + bytes.subarray(at).toString()
}

const IDENTIFIER = String.raw`(?:"(?:[^"]|"")*"|[\p{L}_][\p{L}\p{N}_$]*)`
const QUALIFIED_NAME = new RegExp(String.raw`^${IDENTIFIER}(?:\s*\.\s*${IDENTIFIER})*`, 'u')
const TOKEN = new RegExp(
  [
    String.raw`(?<blank>\s+|--[^\n]*|/\*[\s\S]*?\*/)`,
    String.raw`[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    "'(?:[^']|'')*'",
    String.raw`\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$`,
    IDENTIFIER,
    String.raw`[\s\S]`,
  ].join('|'),
  'uy',
)

function* tokens(text: string, from: number): Generator<{ text: string; at: number }> {
  for (let at = from; at < text.length; ) {
    TOKEN.lastIndex = at
    const match = TOKEN.exec(text)!
    if (match.groups?.blank === undefined) yield { text: match[0], at }
    at += match[0].length
  }
}

/** Behind the parenthesis that closes the first one at or after `from`. */
function closingEnd(text: string, from: number): number {
  let depth = 0
  for (const token of tokens(text, from)) {
    if (token.text === '(') depth += 1
    if (token.text === ')') depth -= 1
    if (token.text === ')' && depth === 0) return token.at + 1
  }
  throw new TypeError(`a parenthesis stays open in ${JSON.stringify(text.slice(0, 40))}`)
}

const textFrom = (sql: string, start: number) => Buffer.from(sql).subarray(start).toString()
const bytesOf = (text: string, end: number) => Buffer.byteLength(text.slice(0, end))
