import type { Relation } from '../../model/relation.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'

/** Name of the column that tells partitions apart. */
export const NUMBER_COLUMN = 'mekong partition number'
const PARTITIONS = '"mekong partitions to number"'
const NUMBERED = '"mekong numbered rows"'

export interface NumberedPartitions {
  /** The rows, with a number for their partition beside their own columns; gone with the connection. */
  readonly relation: Relation
  /** The values of a partition as text, by its number as text. */
  readonly values: ReadonlyMap<string, Readonly<Record<string, string | null>>>
}

/**
 * A number for each partition. DuckDB names folders by the values it splits rows by, and neither bytes that are no text nor
 * more than 255 of them are a name.
 */
export async function numberPartitions(
  connection: EngineConnection,
  { source, relation }: { readonly source: string; readonly relation: Relation },
  partitionBy: readonly string[],
  signal?: AbortSignal,
): Promise<NumberedPartitions> {
  const keys = partitionBy.map(quoteIdentifier)
  const number = quoteIdentifier(NUMBER_COLUMN)
  await connection.run(
    `CREATE TEMP TABLE ${PARTITIONS} AS SELECT row_number() OVER ()::INTEGER AS ${number}, * FROM (SELECT DISTINCT ${keys.join(', ')} FROM ${source})`,
    { signal },
  )
  const same = keys.map((key) => `p.${key} IS NOT DISTINCT FROM r.${key}`)
  await connection.run(
    `CREATE TEMP VIEW ${NUMBERED} AS SELECT r.*, p.${number} FROM ${source} AS r JOIN ${PARTITIONS} AS p ON ${same.join(' AND ')}`,
    { signal },
  )
  const texts = [number, ...keys].map((column) => `${column}::VARCHAR`)
  const rows = await connection.rows(`SELECT ${texts.join(', ')} FROM ${PARTITIONS}`, signal)
  return {
    relation: { ...relation, name: NUMBERED },
    values: new Map(
      rows.map(([at, ...values]) => [
        at as string,
        Object.fromEntries(
          partitionBy.map((name, index) => [name, values[index] as string | null]),
        ),
      ]),
    ),
  }
}
