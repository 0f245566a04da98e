import type { Relation } from '../../model/relation.ts'
import type { HeldRelation } from '../rows-port.ts'
import { GENERATION, spokenSql } from './constraints.ts'
import type { TableSchema } from './table-schema.ts'
import { checkColumns, type WriteContext } from './write-files.ts'

/**
 * The relation with the generated columns that it lacks (PROTOCOL.md, "Generated Columns"); those it has are checked
 * with the other constraints. @throws TableMismatchError when other columns are missing, or do not fit
 */
export async function withGenerated(
  { rows, tableKey }: Pick<WriteContext, 'rows' | 'tableKey'>,
  schema: TableSchema,
  relation: Relation,
  signal?: AbortSignal,
): Promise<HeldRelation> {
  const generations = generationsOf(schema)
  checkColumns(relation.columns, schema.columns, {
    attempt: `Writing to ${tableKey}`,
    mayLack: new Set(generations.keys()),
  })
  const given = new Set(relation.columns.map((column) => column.name))
  if ([...generations.keys()].every((name) => given.has(name)))
    return { relation, [Symbol.asyncDispose]: async () => {} }
  const columns = schema.columns.map(({ name, type }) => ({
    name,
    type,
    from: given.has(name) ? { column: name } : { sql: generations.get(name)! },
  }))
  return rows.derivedRelation({ relation, columns }, signal)
}

/** SQL by column. */
export function generationsOf({ struct }: TableSchema): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  for (const { name, metadata } of struct.fields) {
    const text = metadata?.[GENERATION]
    if (typeof text === 'string') found.set(name, spokenSql(text))
  }
  return found
}
