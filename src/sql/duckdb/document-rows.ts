import type { Columns, ColumnType } from '../../model/column.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'

/** How documents are written as text; see `DocumentStore.notation`. */
export type DocumentNotation = 'plain' | 'extended'

/** Rows as documents: one JSON text of some columns. */
export function documentSql(columns: Columns, notation: DocumentNotation): string {
  const fields = columns.map(
    ({ name, type }) =>
      `${quoteIdentifier(name)}: ${cellSql(quoteIdentifier(name), type, notation)}`,
  )
  return `to_json({${fields.join(', ')}})::VARCHAR`
}

/** Instants are `2015-01-01T00:00:00.000000Z`, decimals are numbers with all their digits; MongoDB has types for both, and its own words for them. */
function cellSql(value: string, type: ColumnType, notation: DocumentNotation): string {
  if (type === 'timestamp') {
    const text = `strftime(make_timestamp(epoch_us(${value})), '%Y-%m-%dT%H:%M:%S.%fZ')`
    return notation === 'plain' ? text : orNull(value, `{"$date": ${text}}`)
  }
  if (type === 'date') return `${value}::VARCHAR`
  if (type === 'int64' && notation === 'extended') return value
  if (typeof type === 'string') return value
  switch (type.kind) {
    case 'decimal':
      return notation === 'plain' ? value : orNull(value, `{"$numberDecimal": ${value}::VARCHAR}`)
    case 'list':
      return `list_transform(${value}, lambda x: ${cellSql('x', type.element, notation)})`
    case 'struct':
      return orNull(
        value,
        `{${type.columns.map((c) => `${quoteIdentifier(c.name)}: ${cellSql(`${value}.${quoteIdentifier(c.name)}`, c.type, notation)}`).join(', ')}}`,
      )
    case 'map':
      return value
  }
}

const orNull = (value: string, made: string) => `CASE WHEN ${value} IS NOT NULL THEN ${made} END`

/** Documents of a query that yields an id, a version and a text, in pieces. */
export async function* documentRows(
  connection: EngineConnection,
  sql: string,
  signal?: AbortSignal,
): AsyncGenerator<
  readonly { readonly id: string; readonly version: number; readonly document: string | null }[]
> {
  for await (const chunk of connection.stream(sql, signal))
    yield chunk.getRows().map(([id, version, document]) => ({
      id: id as string,
      version: Number(version),
      document: document as string | null,
    }))
}
