import path from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createIcebergTable } from '../../../src/lake/iceberg/create.ts'
import type { PartitionBy } from '../../../src/lake/iceberg/define-spec.ts'
import type { IcebergSnapshot } from '../../../src/lake/iceberg/snapshot-view.ts'
import { openIcebergTable } from '../../../src/lake/iceberg/table.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { Columns, ColumnType } from '../../../src/model/column.ts'
import type { Predicate, Scalar, Value } from '../../../src/model/predicate.ts'
import { literalSql } from '../../../src/sql/duckdb/literal.ts'
import { predicateSql } from '../../../src/sql/duckdb/scan.ts'
import { openLocalStore } from '../../../src/storage/local.ts'
import { type Bench, openBench } from './engine.ts'

// Goal: leaving files out never leaves rows out. Method: the same rows in tables that are partitioned and measured in
// every way; random predicates; the answer of each plan must be that of the bare rows.

const SEED = Number(process.env.MEKONG_TEST_SEED ?? Date.now() % 1_000_000)

const decimal: ColumnType = { kind: 'decimal', precision: 9, scale: 2 }
const VALUES: Readonly<Record<string, readonly [ColumnType, readonly Scalar[]]>> = {
  i: ['int32', [-2147483648n, -11n, -10n, -1n, 0n, 1n, 9n, 10n, 2147483647n]],
  s: [
    'string',
    [
      '',
      'a',
      'ab',
      'abc',
      'a\u{10ffff}',
      'é',
      '😀x',
      `${'long '.repeat(12)}a`,
      `${'long '.repeat(12)}b`,
    ],
  ],
  f: [
    'float64',
    [Number.NEGATIVE_INFINITY, -1.5, -0, 0, 0.1, 1.5, Number.POSITIVE_INFINITY, Number.NaN],
  ],
  d: ['date', [-400n, -1n, 0n, 1n, 364n, 365n, 19723n]],
  t: [
    'timestamp',
    [-86_400_000_001n, -1n, 0n, 3_599_999_999n, 3_600_000_000n, 1_700_000_000_000_000n],
  ],
  c: [decimal, [-150n, -1n, 0n, 1n, 149n, 150n]],
  b: ['boolean', [true, false]],
}
const COLUMNS: Columns = [
  { name: 'id', type: 'int32', nullable: true },
  ...Object.entries(VALUES).map(([name, [type]]) => ({ name, type, nullable: true })),
]
const LAYOUTS: readonly (readonly PartitionBy[])[] = [
  [],
  [
    { column: 'i', transform: 'truncate[10]' },
    { column: 's', transform: 'truncate[2]' },
  ],
  [
    { column: 'd', transform: 'year' },
    { column: 't', transform: 'hour' },
  ],
  [{ column: 'd', transform: 'month' }, { column: 't', transform: 'day' }, { column: 'b' }],
  [
    { column: 's', transform: 'bucket[3]' },
    { column: 'i', transform: 'bucket[5]' },
  ],
  [{ column: 'c', transform: 'truncate[50]' }, { column: 'f' }],
]

const valueIn = (name: string): fc.Arbitrary<Value> => {
  const [type, values] = VALUES[name]!
  return fc.constantFrom(...values).map((value) => ({ type, value }))
}
const names = fc.constantFrom(...Object.keys(VALUES))
const leaf: fc.Arbitrary<Predicate> = fc.oneof(
  names.map((name): Predicate => ({ kind: 'is_null', column: [name] })),
  names.chain((name) =>
    fc
      .tuple(fc.constantFrom('=', '<>', '<', '<=', '>', '>='), valueIn(name))
      .map(([op, value]): Predicate => ({ kind: 'compare', column: [name], op: op as '=', value })),
  ),
  names.chain((name) =>
    fc
      .array(valueIn(name), { minLength: 1, maxLength: 3 })
      .map((values): Predicate => ({ kind: 'in', column: [name], values })),
  ),
)
const { predicate } = fc.letrec<{ predicate: Predicate }>((tie) => ({
  predicate: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .array(tie('predicate'), { minLength: 1, maxLength: 3 })
      .map((of) => ({ kind: 'and' as const, of })),
    fc
      .array(tie('predicate'), { minLength: 1, maxLength: 3 })
      .map((of) => ({ kind: 'or' as const, of })),
    tie('predicate').map((of) => ({ kind: 'not' as const, of })),
  ),
}))

describe('scan plans under random predicates', () => {
  let bench: Bench
  const snapshots: IcebergSnapshot[] = []
  beforeAll(async () => {
    bench = await openBench()
    const store = await openLocalStore({ folder: path.join(bench.folder, 'lake') })
    const deps = { store, ports: bench.ports, clock: systemClock, randomness: systemRandomness }
    const rows = fc.sample(
      fc.record(
        Object.fromEntries(
          Object.entries(VALUES).map(([name, [, values]]) => [
            name,
            fc.option(fc.constantFrom(...values), { freq: 5 }),
          ]),
        ),
      ),
      { numRuns: 60, seed: SEED },
    )
    const tuples = rows.map((row, id) => {
      const cells = Object.entries(VALUES).map(([name, [type]]) =>
        literalSql(row[name] ?? null, type),
      )
      return `(${[id, ...cells].join(', ')})`
    })
    await bench.rows(
      `CREATE TABLE bare AS SELECT * FROM (VALUES ${tuples.join(', ')}) AS t(${COLUMNS.map((c) => c.name).join(', ')})`,
    )
    for (const [index, partitionBy] of LAYOUTS.entries()) {
      await createIcebergTable(deps, `t${index}`, { columns: COLUMNS, partitionBy })
      const table = await openIcebergTable(deps, `t${index}`)
      for (const [from, to] of [
        [0, 20],
        [20, 40],
        [40, 60],
      ]) {
        const part = await bench.relation(
          `SELECT * FROM bare WHERE id >= ${from} AND id < ${to}`,
          COLUMNS,
        )
        expect(await table.commitAppend(await table.prepareAppend(part))).toMatchObject({
          status: 'committed',
        })
      }
      snapshots.push(await table.snapshot())
    }
  }, 60_000)
  afterAll(() => bench[Symbol.asyncDispose]())

  test('leave out no row, whatever the layout', async () => {
    let skipped = 0
    const fileCounts = await Promise.all(
      snapshots.map(async (snapshot) => (await snapshot.plan()).files.length),
    )
    await fc.assert(
      fc.asyncProperty(predicate, async (wanted) => {
        const expected = await bench.rows(
          `SELECT id FROM bare WHERE ${predicateSql(wanted)} ORDER BY id`,
        )
        for (const [at, snapshot] of snapshots.entries()) {
          const plan = await snapshot.plan({ predicate: wanted, columns: ['id'] })
          skipped += fileCounts[at]! - plan.files.length
          const found = await bench.scan(plan, (query) => `SELECT id FROM (${query}) ORDER BY id`)
          expect(found).toEqual(expected)
          if (plan.residual === undefined) expect(plan.rowCount).toBe(expected.length)
        }
      }),
      { numRuns: 25, seed: SEED },
    )
    expect(skipped).toBeGreaterThan(0)
  }, 60_000)
})
