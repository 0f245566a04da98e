import { describe, expect, it } from 'vitest'
import { zOrderSql } from '../../../src/sql/duckdb/z-order.ts'
import { engineForTests } from './engine-for-tests.ts'

const held = engineForTests()
const COUNT = 1024

/** The rank by its definition: how many of the 1,023 quantiles are not above the value. Null ranks lowest. */
function ranksOf(values: readonly (number | null)[]): number[] {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b)
  const cuts = Array.from({ length: COUNT - 1 }, (_, index) => {
    const place = Math.ceil(((index + 1) / COUNT) * sorted.length) - 1
    return sorted[Math.max(0, place)]!
  })
  return values.map((value) => (value === null ? 0 : cuts.filter((cut) => cut <= value).length))
}

function interleaved(ranks: readonly number[]): bigint {
  let z = 0n
  for (let bit = 9; bit >= 0; bit -= 1)
    for (const rank of ranks) z = (z << 1n) | BigInt((rank >> bit) & 1)
  return z
}

describe('a Z-order curve', () => {
  it.each([1, 2, 3, 7])(
    'over %i columns interleaves the bits of ranks among quantiles',
    async (columnCount) => {
      const { connection } = held
      const columns = Array.from({ length: columnCount }, (_, index) => `c${index}`)
      const cells = columns.map(
        (name, index) =>
          `CASE WHEN hash(range + ${index}) % 50 = 0 THEN NULL ELSE (hash(range * ${index + 3}) % ${10 ** (index + 1)})::BIGINT END AS ${name}`,
      )
      await connection.run(
        `CREATE OR REPLACE TABLE given AS SELECT range AS place, ${cells.join(', ')} FROM range(3000)`,
      )
      const given = await connection.rows(`SELECT ${columns.join(', ')} FROM given ORDER BY place`)
      const ranks = columns.map((_, at) =>
        ranksOf(given.map((row) => (row[at] === null ? null : Number(row[at])))),
      )
      const wanted = given.map((_, place) => interleaved(ranks.map((each) => each[place]!)))
      const sql = zOrderSql({ rows: 'FROM given', by: columns, as: 'z' })
      const found = await connection.rows(`SELECT z FROM (${sql}) ORDER BY place`)
      expect(found.map(([z]) => z)).toEqual(wanted)
    },
  )

  it('orders texts, instants, floats and booleans, and keeps all columns as they are', async () => {
    const { connection } = held
    const rows = `SELECT * FROM (VALUES ('b', 'NaN'::DOUBLE, TIMESTAMPTZ '2024-01-02', true, 1), ('a', -0.5, TIMESTAMPTZ '2024-01-01', false, 2), (NULL, NULL, NULL, NULL, 3)) AS t("a text", f, moment, b, n)`
    for (const by of ['a text', 'f', 'moment', 'b']) {
      const sql = zOrderSql({ rows, by: [by], as: 'z' })
      const found = await connection.rows(`SELECT * FROM (${sql}) ORDER BY z`)
      expect(found.map((row) => row[4])).toEqual([3, 2, 1])
      expect(found[2]!.slice(0, 2)).toEqual(['b', Number.NaN])
      expect(found[0]).toHaveLength(6)
    }
  })

  it('has nothing to say about no rows, and of nulls alone that they are the lowest', async () => {
    const { connection } = held
    const none = zOrderSql({ rows: 'SELECT 1 AS x WHERE false', by: ['x'], as: 'z' })
    expect(await connection.rows(none)).toEqual([])
    const nulls = zOrderSql({ rows: 'SELECT NULL::DATE AS x', by: ['x'], as: 'z' })
    expect(await connection.rows(nulls)).toEqual([[null, 0n]])
  })

  it('fits twelve columns into one number', async () => {
    const { connection } = held
    const columns = Array.from({ length: 12 }, (_, index) => `c${index}`)
    const cells = columns.map((name) => `range AS ${name}`).join(', ')
    const sql = zOrderSql({ rows: `SELECT ${cells} FROM range(5000)`, by: columns, as: 'z' })
    const [row] = await connection.rows(`SELECT min(z), max(z) FROM (${sql})`)
    expect(row).toEqual([0n, 2n ** 120n - 1n])
  })
})
