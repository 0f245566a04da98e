import { expect, test } from 'vitest'
import { int32, list, nested, optional, record, timestamp } from '../../../src/model/schema.ts'
import type { JoinStep } from '../../../src/model/step.ts'
import { batchDecoder } from '../../../src/sql/duckdb/decode.ts'
import { openReferenceStore } from '../../../src/sql/duckdb/reference-store.ts'
import { transform } from '../../../src/sql/duckdb/transform.ts'
import { engineForTests } from './engine-for-tests.ts'
import { batchOf } from './record-batches.ts'

const held = engineForTests({ threads: 2 })

const schema = record({
  n: int32(),
  at: timestamp(),
  lines: optional(list(nested({ product: int32(), quantity: int32() }))),
})
const step: JoinStep = {
  ...{ kind: 'join', reference: 'products', key: 'product', on: 'product', each: 'lines' },
  ...{ at: 'at', missing: 'missing_refs', take: [{ name: 'price', from: 'price', type: 'int32' }] },
}

test('lines keep their order, their number, and find the version of their time', async () => {
  const store = await openReferenceStore(held.engine)
  const columns = [
    { name: 'product', type: 'int32', nullable: false },
    { name: 'price', type: 'int32', nullable: true },
  ] as const
  const table = await store.table({ name: 'products', key: 'product', columns })
  // Two versions of each, and no product that 7 divides.
  await table.fill(
    `SELECT n::INTEGER AS product, (v * 1000 + n)::INTEGER AS price, make_timestamptz(v * 100) AS valid_from,
      CASE WHEN v = 0 THEN make_timestamptz(100) END AS valid_to, now() AS known_at FROM range(1, 400) r(n), range(2) s(v) WHERE n % 7 <> 0`,
  )
  const lengths = Array.from({ length: 3_000 }, (_, n) => (n % 50 === 0 ? 300 : n % 6))
  const order = (n: number) => ({
    n,
    at: n % 2 === 0 ? '1970-01-01T00:00:00.000050Z' : '1970-01-01T00:00:00.000150Z',
    lines: Array.from({ length: lengths[n]! }, (_, line) => ({
      product: 1 + ((n * 31 + line * 17) % 399),
      quantity: line,
    })),
  })
  const values = lengths.map((_, n) => JSON.stringify(order(n)))
  values.push('{"n":3000,"at":"1970-01-01T00:00:00Z"}')
  const decoded = await batchDecoder({ schema }).decode(held.connection, [batchOf(values)])
  const { relation } = await transform(held.connection, {
    ...{ relation: decoded.relation, steps: [step], processingTime: 0n },
    references: new Map([['products', table.relation]]),
  })
  const rows = await held.connection.rows(
    `SELECT to_json({lines: lines, missing_refs: missing_refs})::VARCHAR FROM ${relation.name} ORDER BY n`,
  )
  const found = rows.map(([text]) => JSON.parse(text as string))
  const expected = lengths.map((_, n) => {
    const { lines } = order(n)
    const missing = [
      ...new Set(
        lines
          .filter(({ product }) => product % 7 === 0)
          .map(({ product }) => `products:${product}`),
      ),
    ]
    return {
      lines: lines.map((line) => ({
        ...line,
        price: line.product % 7 === 0 ? null : (n % 2) * 1000 + line.product,
      })),
      missing_refs: missing.sort(),
    }
  })
  expect(found).toEqual([...expected, { lines: null, missing_refs: [] }])
})
