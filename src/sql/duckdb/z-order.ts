import { quoteIdentifier } from './quote-identifier.ts'

/** Ranks have so many bits; ranges are cut by quantiles of a sample. */
const RANK_BITS = 10
const SAMPLE_ROW_COUNT = 100_000

export interface ZOrder {
  /** The query whose rows they are. */
  readonly rows: string
  /** Columns of any type that can be ordered. At most twelve, so that all bits fit one number. */
  readonly by: readonly string[]
  /** Name of the column to sort by. */
  readonly as: string
}

/**
 * A query's rows with a column to sort by: the interleaved bits of each column's rank (a Z-order curve), most significant first. Ranks are places among
 * quantiles, so that skewed columns count as much as even ones; nulls rank lowest.
 */
export function zOrderSql({ rows, by, as }: ZOrder): string {
  const names = by.map(quoteIdentifier)
  const count = 2 ** RANK_BITS
  const fractions = Array.from({ length: count - 1 }, (_, index) => (index + 1) / count)
  const cuts = names.map(
    (name, index) =>
      `mekong_cuts${index} AS MATERIALIZED (SELECT cut, max(rank) AS rank FROM (SELECT ` +
      `unnest(quantile_disc(${name}, [${fractions.join(', ')}])) AS cut, unnest(range(1, ${count})) AS rank FROM mekong_sample) GROUP BY cut)`,
  )
  const joins = names.map(
    (name, index) =>
      `ASOF LEFT JOIN mekong_cuts${index} ON mekong_rows.${name} >= mekong_cuts${index}.cut`,
  )
  const bits = Array.from({ length: RANK_BITS }, (_, bit) =>
    names.map(
      (_name, index) => `((coalesce(mekong_cuts${index}.rank, 0) >> ${RANK_BITS - 1 - bit}) & 1)`,
    ),
  ).flat()
  const z = bits.map((bit, index) => `(${bit}::HUGEINT << ${bits.length - 1 - index})`).join(' | ')
  return (
    `WITH mekong_rows AS (${rows}), mekong_sample AS MATERIALIZED (SELECT ${names.join(', ')} FROM mekong_rows ` +
    `USING SAMPLE reservoir(${SAMPLE_ROW_COUNT} ROWS)), ${cuts.join(', ')} ` +
    `SELECT mekong_rows.*, ${z} AS ${quoteIdentifier(as)} FROM mekong_rows ${joins.join(' ')}`
  )
}
