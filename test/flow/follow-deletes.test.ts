import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compare } from '../../src/model/predicate.ts'
import { sql } from '../../src/model/row-edit.ts'
import { merge } from '../../src/pipeline/materialization.ts'
import type { PipelineBuilder } from '../../src/pipeline/pipeline.ts'
import { type ModelHome, openModelHome } from './model-home.ts'

// What goes from the table that a merge takes its rows from goes from the merge where it follows deletes, and stays where it keeps.

const NEWEST =
  "SELECT k, 'n' || k AS name, v FROM incoming WHERE v <> 7 QUALIFY row_number() OVER (PARTITION BY k ORDER BY moment DESC) = 1"
const incoming = 'bronze.events'

const events = (rows: readonly (readonly [k: number, moment: number, v: number])[]) =>
  `SELECT * FROM (VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) AS t(k, moment, v)`
const is = (column: string, value: number) => compare([column], '=', { type: 'int32', value })

describe.each(['delta', 'iceberg'] as const)('deletes followed on %s tables', (format) => {
  test('a key goes with its last row, or is what other rows make of it', async () => {
    await using home = await openModelHome(format)
    const define = (p: PipelineBuilder) => {
      p.model('silver.follows', NEWEST, {
        ...{ incoming, materialize: merge({ key: ['k'], deletes: 'follow' }) },
      })
      p.model('silver.keeps', NEWEST, { incoming, materialize: merge({ key: ['k'] }) })
      p.model('silver.first', NEWEST, {
        ...{ incoming, materialize: merge({ key: ['k'], whenMatched: 'keep', deletes: 'follow' }) },
      })
      p.model('gold.known', 'SELECT k, v FROM incoming', {
        ...{ incoming: 'silver.follows', materialize: merge({ key: ['k'], deletes: 'follow' }) },
      })
    }
    await home.add(
      incoming,
      events([
        [1, 1, 10],
        [1, 2, 11],
        [2, 3, 20],
        [3, 4, 30],
      ]),
    )
    await home.run(define)
    const source = await home.add(incoming, events([[4, 5, 40]]))
    await source.delete({ where: is('moment', 2) })
    await source.delete({ where: is('k', 2) })
    const reports = await home.run(define)
    expect(reports['silver.follows']!.facts).toMatchObject({
      ...{ build: 'increment', rows_in: 1, rows_gone: 2 },
      ...{ rows_added: 1, rows_changed: 1, rows_removed: 1 },
    })
    const followed = [
      [1, 'n1', 10],
      [3, 'n3', 30],
      [4, 'n4', 40],
    ]
    expect(await home.rows('silver.follows')).toEqual(followed)
    expect(await home.rows('gold.known', 'SELECT k FROM rows ORDER BY k')).toEqual([[1], [3], [4]])
    expect(await home.rows('silver.keeps', 'SELECT k, v FROM rows ORDER BY k')).toEqual([
      ...[
        [1, 11],
        [2, 20],
        [3, 30],
      ],
      [4, 40],
    ])
    // A row that is there stays as it is; only what has nothing behind it any more goes.
    expect(await home.rows('silver.first', 'SELECT k, v FROM rows ORDER BY k')).toEqual([
      ...[
        [1, 11],
        [3, 30],
      ],
      [4, 40],
    ])
    expect((await home.run(define))['silver.follows']!.status).toBe('nothing_new')
  })

  test('a model that reads its own table cannot follow', async () => {
    await using home = await openModelHome(format)
    await expect(
      home.tasks((p) =>
        p.model('silver.self', 'SELECT k FROM incoming ANTI JOIN silver.self USING (k)', {
          ...{ incoming, materialize: merge({ key: ['k'], deletes: 'follow' }) },
        }),
      ),
    ).rejects.toMatchObject({ code: 'MODEL_INVALID' })
  })

  test('whatever comes and goes, the table is what a full refresh makes', async () => {
    const key = fc.integer({ min: 1, max: 5 })
    const step = fc.oneof(
      fc.record({
        do: fc.constant('add' as const),
        keys: fc.array(key, { minLength: 1, maxLength: 4 }),
      }),
      fc.record({ do: fc.constant('delete' as const), key }),
      fc.record({
        do: fc.constant('delete_moment' as const),
        moment: fc.integer({ min: 1, max: 12 }),
      }),
      fc.record({ do: fc.constant('update' as const), key, v: fc.integer({ min: 5, max: 9 }) }),
      fc.record({ do: fc.constant('move' as const), key, to: key }),
      fc.record({ do: fc.constant('run' as const) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
        await using home = await openModelHome(format)
        let moment = 0
        const add = (keys: readonly number[]) =>
          home.add(incoming, events(keys.map((k) => [k, ++moment, moment % 9])))
        const source = await add([1, 2, 3])
        await compareWithFullRefresh(home)
        for (const each of steps) {
          if (each.do === 'add') await add(each.keys)
          else if (each.do === 'delete') await source.delete({ where: is('k', each.key) })
          else if (each.do === 'delete_moment')
            await source.delete({ where: is('moment', each.moment) })
          else if (each.do === 'update')
            await source.update({ where: is('k', each.key), set: { v: sql(String(each.v)) } })
          else if (each.do === 'move')
            await source.update({ where: is('k', each.key), set: { k: sql(String(each.to)) } })
          else await compareWithFullRefresh(home)
        }
        await compareWithFullRefresh(home)
      }),
      { numRuns: Number(process.env.MEKONG_NIGHTLY ?? 0) > 0 ? 100 : 6 },
    )
  }, 180_000)
})

async function compareWithFullRefresh(home: ModelHome): Promise<void> {
  const materialize = merge({ key: ['k'], deletes: 'follow' })
  await home.run((p) => p.model('silver.newest', NEWEST, { incoming, materialize }))
  await home.run((p) => p.model('silver.anew', NEWEST, { incoming, materialize }), {
    fullRefresh: true,
  })
  expect(await home.rows('silver.newest')).toEqual(await home.rows('silver.anew'))
}
