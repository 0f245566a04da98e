import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type DeltaTable, openDeltaTable } from '../../../src/lake/delta/table.ts'
import type { DeltaDeps } from '../../../src/lake/delta/table-log.ts'
import type { Columns } from '../../../src/model/column.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { sql } from '../../../src/model/row-edit.ts'
import { StorageIoError } from '../../../src/storage/errors.ts'
import { openTestLake, type TestLake } from './lake-for-tests.ts'

// Statements on a store that fails: before it does a thing, after it did, and by not saying whether it did. Goal: whatever happens, the table
// holds the rows from before the statement or those from after it; an outcome that came is the truth.
// Method: a wrapper of the real store fails by chances from one seed; a fault-free look follows each statement.

const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]
type Rows = readonly (readonly [id: number, v: number])[]

let lake: TestLake
beforeAll(async () => {
  lake = await openTestLake()
})
afterAll(() => lake.close())

/** A small generator of numbers from 0 to 1 (mulberry32). */
function chanceFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function failing(store: ObjectStore, chance: () => number, rate: number): ObjectStore {
  const fail = (what: string) => new StorageIoError(`${what} failed, as the test wants it`)
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (chance() < rate) throw fail(what)
    const done = await work()
    if (chance() < rate) throw fail(`${what}, though it was done,`)
    return done
  }
  return {
    rootUrl: store.rootUrl,
    locate: (key) => store.locate(key),
    list: (options, signal) => store.list(options, signal),
    get: (...args) => around('get', () => store.get(...args)),
    getRange: (...args) => around('getRange', () => store.getRange(...args)),
    head: (...args) => around('head', () => store.head(...args)),
    put: (...args) => around('put', () => store.put(...args)),
    putFile: (...args) => around('putFile', () => store.putFile(...args)),
    remove: (...args) => around('remove', () => store.remove(...args)),
    async putIfAbsent(...args) {
      if (chance() < rate) throw fail('putIfAbsent')
      if (chance() < rate) return { status: 'unknown', cause: fail('putIfAbsent before') }
      const outcome = await store.putIfAbsent(...args)
      return chance() < rate ? { status: 'unknown', cause: fail('putIfAbsent after') } : outcome
    },
  }
}

interface Statement {
  readonly kind: 'append' | 'delete' | 'update' | 'merge' | 'overwrite' | 'optimize' | 'restore'
  readonly low: number
  readonly width: number
}

const fresh = ({ low, width }: Statement): Rows =>
  Array.from({ length: width }, (_, index) => [low + index, 100] as const)
const isHit = ({ low, width }: Statement, id: number) => id >= low && id < low + width

function after(rows: Rows, statement: Statement, first: Rows): Rows {
  switch (statement.kind) {
    case 'append':
      return [...rows, ...fresh(statement)]
    case 'delete':
      return rows.filter(([id]) => !isHit(statement, id))
    case 'update':
      return rows.map(([id, v]) => [id, isHit(statement, id) ? v + 1 : v])
    case 'merge':
      return [
        ...rows.map(([id, v]) => [id, isHit(statement, id) ? 100 : v] as const),
        ...fresh(statement).filter(([id]) => !rows.some(([other]) => other === id)),
      ]
    case 'overwrite':
      return fresh(statement)
    case 'optimize':
      return rows
    case 'restore':
      return first
  }
}

async function run(table: DeltaTable, statement: Statement): Promise<string> {
  const { low, width, kind } = statement
  const relation = () =>
    lake.engine.relation(
      `SELECT (${low} + range)::BIGINT AS id, 100::BIGINT AS v FROM range(${width})`,
      COLUMNS,
    )
  const where = sql(`id >= ${low} AND id < ${low + width}`)
  switch (kind) {
    case 'append':
      return (await table.commitAppend(await table.prepareAppend(await relation()))).status
    case 'delete':
      return (await table.delete({ where })).status
    case 'update':
      return (await table.update({ where, set: { v: sql('v + 1') } })).status
    case 'merge': {
      const clauses = [
        { when: 'matched', do: 'update' },
        { when: 'not_matched', do: 'insert' },
      ] as const
      return (await table.merge({ source: await relation(), on: { keys: ['id'] }, clauses })).status
    }
    case 'overwrite':
      return (await table.overwrite(await relation())).status
    case 'optimize':
      return (await table.optimize()).groups[0]?.status ?? 'unchanged'
    case 'restore':
      return (await table.restore({ version: 1 })).status
  }
}

async function look(location: string): Promise<Rows> {
  const table = await openDeltaTable(lake.deps, location)
  const rows = await lake.rows(table, 'SELECT id::INTEGER AS id, v::INTEGER AS v FROM t')
  return sorted(rows.map(({ id, v }) => [id as number, v as number]))
}
const sorted = (rows: Rows): Rows => rows.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])

test('a statement is done or not done, whatever the storage does', async () => {
  const statements = fc.array(
    fc.record({
      kind: fc.constantFrom(
        'append',
        'delete',
        'update',
        'merge',
        'overwrite',
        'optimize',
        'restore',
      ),
      low: fc.integer({ min: 0, max: 25 }),
      width: fc.integer({ min: 1, max: 10 }),
    }),
    { minLength: 1, maxLength: 6 },
  ) as fc.Arbitrary<Statement[]>
  const rates = fc.double({ min: 0, max: 0.08, noNaN: true })
  await fc.assert(
    fc.asyncProperty(
      fc.integer(),
      fc.boolean(),
      rates,
      statements,
      async (seed, marks, rate, list) => {
        const { location } = await lake.table({
          columns: COLUMNS,
          properties: {
            'delta.checkpointInterval': '3',
            'delta.enableDeletionVectors': String(marks),
            'delta.enableChangeDataFeed': String(seed % 2 === 0),
          },
        })
        const calm = await openDeltaTable(lake.deps, location)
        const first: Rows = Array.from({ length: 20 }, (_, id) => [id, 0] as const)
        await lake.append(
          calm,
          'SELECT range::BIGINT AS id, 0::BIGINT AS v FROM range(20)',
          COLUMNS,
        )
        const chance = chanceFrom(seed)
        const deps: DeltaDeps = {
          ...lake.deps,
          store: failing(lake.deps.store, chance, rate),
          pause: async () => {},
        }
        let rows = first
        let table: DeltaTable | undefined
        for (const statement of list) {
          const done = sorted(after(rows, statement, first))
          let status = 'failed'
          try {
            table ??= await openDeltaTable(deps, location)
            status = await run(table, statement)
          } catch (error) {
            if (!(error instanceof StorageIoError)) throw error
            // As after a crash: nothing that this process knew is left.
            table = undefined
          }
          const found = await look(location)
          if (status === 'committed') expect(found).toEqual(done)
          else if (status === 'unchanged' || status === 'conflict')
            expect(found).toEqual(sorted(rows))
          else
            expect([JSON.stringify(sorted(rows)), JSON.stringify(done)]).toContain(
              JSON.stringify(found),
            )
          rows = found
        }
      },
    ),
    { numRuns: 40 },
  )
}, 120_000)
