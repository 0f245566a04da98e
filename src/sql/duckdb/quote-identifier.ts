/** An identifier as SQL text, whatever it contains: `order` becomes `"order"`. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * A text as an SQL literal. Only for what cannot travel as a parameter: options of `COPY` and `read_csv`, constants
 * that the planner must see. DuckDB's plain literals know no escapes but the doubled quote.
 */
export function quoteText(text: string): string {
  // The text of a statement ends at a NUL, wherever it stands.
  if (text.includes('\0')) return `(${text.split('\0').map(quoteText).join(' || chr(0) || ')})`
  return `'${text.replaceAll("'", "''")}'`
}

/** A path of names through nested records as SQL: `j."line"."price"`. */
export function quotePath(path: readonly string[]): string {
  return path.map(quoteIdentifier).join('.')
}
