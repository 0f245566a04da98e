import fc from 'fast-check'
import { expect } from 'vitest'
import type { Columns } from '../../src/model/column.ts'
import type { ObjectStore } from '../../src/model/object-store.ts'
import type { Relation } from '../../src/model/relation.ts'
import { sql } from '../../src/model/row-edit.ts'
import { StorageIoError } from '../../src/storage/errors.ts'
import type { EditableTable } from './row-edits.suite.ts'

// Statements on a store that fails: before it does a thing, after it did, and by not saying whether it did. Goal: whatever happens, the table
// holds the rows from before the statement or those from after it; an outcome that came is the truth.
// Method: a wrapper of the real store fails by chances from one seed; a fault-free look follows each statement.

export const COLUMNS: Columns = [
  { name: 'id', type: 'int64', nullable: true },
  { name: 'v', type: 'int64', nullable: true },
]
export type Rows = readonly (readonly [id: number, v: number])[]

export interface FaultyLake<T extends EditableTable> {
  /** A new, empty table of `COLUMNS`, of the `variant`th kind; its key. */
  create(variant: number): Promise<string>
  /** The table on a store of one's own choice. */
  open(location: string, store: (real: ObjectStore) => ObjectStore): Promise<T>
  append(table: T, relation: Relation): Promise<string>
  relation(sql: string): Promise<Relation>
  /** Id and value of all rows, read without faults. */
  rows(location: string): Promise<Rows>
  /** What else there is to do, by name: it answers with a status, and leaves the rows as they are or as they first were. */
  readonly others: Readonly<
    Record<string, { run(table: T): Promise<string>; readonly leaves: 'rows' | 'first' }>
  >
}

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
    folders: (prefix, signal) => store.folders(prefix, signal),
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
  readonly kind: string
  readonly low: number
  readonly width: number
}

const KINDS = ['append', 'delete', 'update', 'merge', 'overwrite']
const FIRST: Rows = Array.from({ length: 20 }, (_, id) => [id, 0] as const)
const fresh = ({ low, width }: Statement): Rows =>
  Array.from({ length: width }, (_, index) => [low + index, 100] as const)
const isHit = ({ low, width }: Statement, id: number) => id >= low && id < low + width
const sorted = (rows: Rows): Rows => rows.toSorted((a, b) => a[0] - b[0] || a[1] - b[1])

function after(rows: Rows, statement: Statement): Rows | undefined {
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
    default:
      return undefined
  }
}

async function run<T extends EditableTable>(
  lake: FaultyLake<T>,
  table: T,
  { low, width, kind }: Statement,
): Promise<string> {
  const relation = () =>
    lake.relation(`SELECT (${low} + range)::BIGINT AS id, 100::BIGINT AS v FROM range(${width})`)
  const where = sql(`id >= ${low} AND id < ${low + width}`)
  switch (kind) {
    case 'append':
      return lake.append(table, await relation())
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
    default:
      return lake.others[kind]!.run(table)
  }
}

/** Fails unless every statement is done or not done, whatever the storage does. */
export async function expectWholeStatements<T extends EditableTable>(
  lake: FaultyLake<T>,
  runs: number,
): Promise<void> {
  const statement = fc.record({
    kind: fc.constantFrom(...KINDS, ...Object.keys(lake.others)),
    low: fc.integer({ min: 0, max: 25 }),
    width: fc.integer({ min: 1, max: 10 }),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.integer(),
        variant: fc.nat(3),
        rate: fc.double({ min: 0, max: 0.08, noNaN: true }),
        statements: fc.array(statement, { minLength: 1, maxLength: 6 }),
      }),
      async ({ seed, variant, rate, statements }) => {
        const location = await lake.create(variant)
        const calm = await lake.open(location, (store) => store)
        const first = 'SELECT range::BIGINT AS id, 0::BIGINT AS v FROM range(20)'
        expect(await lake.append(calm, await lake.relation(first))).toBe('committed')
        const chance = chanceFrom(seed)
        let rows = FIRST
        let table: T | undefined
        for (const each of statements) {
          const left = lake.others[each.kind]?.leaves === 'first' ? FIRST : rows
          const done = sorted(after(rows, each) ?? left)
          let status = 'failed'
          try {
            table ??= await lake.open(location, (store) => failing(store, chance, rate))
            status = await run(lake, table, each)
          } catch (error) {
            if (!(error instanceof StorageIoError)) throw error
            // As after a crash: nothing that this process knew is left.
            table = undefined
          }
          const found = sorted(await lake.rows(location))
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
    { numRuns: runs },
  )
}
