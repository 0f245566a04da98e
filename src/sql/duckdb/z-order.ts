import { quoteIdentifier } from './quote-identifier.ts'

/** Ranks have so many bits; ranges are cut by quantiles of a sample. */
const RANK_BITS = 10
/** A rank's bits are spread in two steps, so that the tables for it are short. */
const HALF_BITS = RANK_BITS / 2
const SAMPLE_ROW_COUNT = 100_000
/** A sign bit is left alone. */
const NARROW_BITS_MAX = 63

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
 *
 * The cuts are one row of lists beside every row, and a rank is found in its list by halves, a step for each bit. Joining rows with cuts
 * would sort all rows by each column first, which takes eight times as long.
 */
export function zOrderSql({ rows, by, as }: ZOrder): string {
  const names = by.map(quoteIdentifier)
  const cuts = by.map((_, index) => `"mekong cuts ${index}"`)
  const ranks = by.map((_, index) => `"mekong rank ${index}"`)
  const count = 2 ** RANK_BITS
  const fractions = Array.from({ length: count - 1 }, (_, index) => (index + 1) / count)
  const quantiles = names.map(
    (name, index) => `quantile_disc(${name}, [${fractions.join(', ')}]) AS ${cuts[index]}`,
  )
  let ranked =
    `(SELECT mekong_rows.*, mekong_cuts.*, ${ranks.map((rank) => `0 AS ${rank}`).join(', ')} ` +
    'FROM mekong_rows CROSS JOIN mekong_cuts)'
  for (let step = count / 2; step >= 1; step /= 2) {
    const halved = ranks.map(
      (rank, index) =>
        `CASE WHEN ${names[index]} >= ${cuts[index]}[${rank} + ${step}] THEN ${rank} + ${step} ELSE ${rank} END AS ${rank}`,
    )
    ranked = `(SELECT * REPLACE (${halved.join(', ')}) FROM ${ranked})`
  }
  const z = ranks.map((rank, index) => spreadSql(rank, index, by.length)).join(' | ')
  return (
    `WITH mekong_rows AS (${rows}), mekong_cuts AS MATERIALIZED (SELECT ${quantiles.join(', ')} FROM ` +
    `(SELECT ${names.join(', ')} FROM mekong_rows) USING SAMPLE reservoir(${SAMPLE_ROW_COUNT} ROWS)) ` +
    `SELECT * EXCLUDE (${[...cuts, ...ranks].join(', ')}), (${z})::HUGEINT AS ${quoteIdentifier(as)} FROM ${ranked}`
  )
}

/** A rank with its bits so far apart that those of the other columns fit between them. */
function spreadSql(rank: string, index: number, columnCount: number): string {
  const type = RANK_BITS * columnCount <= NARROW_BITS_MAX ? 'BIGINT' : 'HUGEINT'
  const table = (shift: number) => {
    const numbers = Array.from({ length: 2 ** HALF_BITS }, (_, half) => {
      let spread = 0n
      for (let bit = 0; bit < HALF_BITS; bit += 1)
        if ((half >> bit) & 1)
          spread |= 1n << BigInt((bit + shift) * columnCount + columnCount - 1 - index)
      return spread
    })
    return `[${numbers.join(', ')}]::${type}[]`
  }
  const mask = 2 ** HALF_BITS - 1
  return `(${table(HALF_BITS)})[(${rank} >> ${HALF_BITS}) + 1] | (${table(0)})[(${rank} & ${mask}) + 1]`
}
