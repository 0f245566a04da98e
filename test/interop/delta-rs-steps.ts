import fc from 'fast-check'
import type { Columns } from '../../src/model/column.ts'
import { isScalar, KEY } from './random-columns.ts'
import { conditionChoice, drawCondition } from './random-condition.ts'
import { rowsSql } from './random-rows.ts'
import {
  mixedRowsFile,
  newRowsFile,
  type TheirStep,
  type TheirTable,
  theirStep,
} from './their-table.ts'

const rows = { count: fc.integer({ min: 1, max: 25 }), seed: fc.nat(1_000) }

const conditionAt = (at: TheirTable, choice: Parameters<typeof drawCondition>[2]) =>
  drawCondition(at.workshop, { table: at.current, columns: at.columns }, choice)

/** Makes the table, empty. */
export const createWith = (configuration: Readonly<Record<string, string>>): TheirStep => ({
  name: 'create',
  async run(at) {
    const empty = rowsSql(at.columns, { from: 0, count: 0, seed: 0 })
    await at.engine.ask('create', {
      location: at.location,
      columns_from: await at.workshop.fileOf(empty),
      partition_by: at.partitionBy,
      configuration,
    })
  },
})

/** What delta-rs can do to a table; a new operation is a new entry. */
const STEPS: readonly fc.Arbitrary<TheirStep>[] = [
  theirStep('append', fc.record(rows), async (at, { count, seed }) =>
    at.engine.ask('append', { location: at.location, rows: await newRowsFile(at, count, seed) }),
  ),
  theirStep('overwrite', fc.record(rows), async (at, { count, seed }) =>
    at.engine.ask('overwrite', { location: at.location, rows: await newRowsFile(at, count, seed) }),
  ),
  theirStep('delete', conditionChoice, async (at, choice) => {
    const where = (await conditionAt(at, choice))?.datafusion
    if (where !== undefined) await at.engine.ask('delete', { location: at.location, where })
  }),
  theirStep('update', fc.tuple(conditionChoice, conditionChoice), async (at, [a, b]) => {
    const where = (await conditionAt(at, a))?.datafusion
    const value = await conditionAt(at, b)
    if (where === undefined || value === undefined || value.column.name === KEY.name) return
    const updates = { [`"${value.column.name}"`]: value.literal.datafusion }
    await at.engine.ask('update', { location: at.location, where, updates })
  }),
  theirStep(
    'merge',
    fc.record({ ...rows, deletes: fc.boolean() }),
    async (at, { count, seed, deletes }) =>
      at.engine.ask('merge', {
        location: at.location,
        rows: await mixedRowsFile(at, count, seed),
        on: KEY.name,
        ...(deletes ? { delete_matched: `s.${KEY.name} % 2 = 0` } : {}),
      }),
  ),
  theirStep(
    'append with a new column',
    fc.record({ ...rows, name: fc.constantFrom('later', 'Even_later') }),
    async (at, { count, seed, name }) => {
      const isNew = at.columns.every((column) => column.name !== name)
      const columns: Columns = isNew
        ? [...at.columns, { name, type: 'int32', nullable: true }]
        : at.columns
      const rows = await newRowsFile({ ...at, columns }, count, seed)
      at.nextKey += count
      await at.engine.ask('append', { location: at.location, rows, schema_mode: 'merge' })
    },
  ),
  theirStep('checkpoint', fc.constant({}), (at) =>
    at.engine.ask('checkpoint', { location: at.location }),
  ),
  theirStep('compact log', fc.nat(3), async (at, back) => {
    const end = (await at.engine.ask('version', { location: at.location })) as number
    await at.engine.ask('compact_log', {
      location: at.location,
      start: Math.max(0, end - 1 - back),
      end,
    })
  }),
  theirStep('optimize', fc.constant({}), (at) =>
    at.engine.ask('optimize', { location: at.location }),
  ),
  theirStep('z-order', fc.nat(5), (at, column) => {
    const names = at.columns
      .filter(({ name, type }) => isScalar(type) && !at.partitionBy.includes(name))
      .map(({ name }) => name)
    return at.engine.ask('z_order', {
      location: at.location,
      columns: [names[column % names.length]],
    })
  }),
  theirStep('vacuum', fc.constant({}), (at) => at.engine.ask('vacuum', { location: at.location })),
  theirStep('restore', fc.nat(3), async (at, back) => {
    const version = (await at.engine.ask('version', { location: at.location })) as number
    await at.engine.ask('restore', { location: at.location, version: Math.max(0, version - back) })
  }),
]

/** Rows first, so that there is something to change. */
export const deltaRsSteps = fc
  .tuple(STEPS[0]!, fc.array(fc.oneof(...STEPS), { minLength: 2, maxLength: 7 }))
  .map(([first, others]) => [first, ...others])
