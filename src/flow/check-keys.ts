import type { Relation } from '../model/relation.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { ModelInvalidError, ModelRowsError } from '../sql/models/errors.ts'
import type { ModelRun } from './model-run.ts'

/** See that a key names one row. @throws ModelRowsError when two rows have one key, or a key has a null */
export async function checkKeys(
  { model, session }: ModelRun,
  made: Relation,
  key: readonly string[],
): Promise<void> {
  const lacking = key.filter((name) => !made.columns.some((column) => column.name === name))
  if (lacking.length > 0)
    throw new ModelInvalidError(
      `The SQL of ${model.name} yields no ${lacking.join(', ')}, which is in its key. Its columns are ${made.columns.map(({ name }) => name).join(', ')}.`,
    )
  const names = key.map(quoteIdentifier)
  const [counts] = await session.read(
    `SELECT count(*) - count(DISTINCT (${names.join(', ')})) AS repeats, count(*) FILTER (WHERE ${names.map((name) => `${name} IS NULL`).join(' OR ')}) FROM ${made.name}`,
  )
  const [repeats, nulls] = counts!.map(Number) as [number, number]
  if (repeats + nulls === 0) return
  const problems = [
    ...(repeats > 0 ? [`${repeats} rows repeat the key of another`] : []),
    ...(nulls > 0 ? [`${nulls} rows have a null in their key`] : []),
  ]
  throw new ModelRowsError(
    `The SQL of ${model.name} yields ${made.rowCount} rows, of which ${problems.join(' and ')} (${key.join(', ')}). ` +
      `Nothing was written. Leave one row for each key: QUALIFY row_number() OVER (PARTITION BY ${key.join(', ')} ORDER BY …) = 1.`,
  )
}
