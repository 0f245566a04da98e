import path from 'node:path'
import fc from 'fast-check'
import type { Column } from '../../src/model/column.ts'
import { KEY } from './random-columns.ts'
import { rowsSql } from './random-rows.ts'
import { type PartitionField, partitionChoice, partitionFields } from './random-transforms.ts'
import {
  mixedRowsFile,
  newRowsFile,
  type TheirStep,
  type TheirTable,
  theirStep,
} from './their-table.ts'

type Choice = Parameters<typeof partitionFields>[1]
const pairs = (fields: readonly PartitionField[]) =>
  fields.map(({ column, transform }) => [column, transform])

const ask = (at: TheirTable, command: string, args: Readonly<Record<string, unknown>> = {}) =>
  at.engine.ask(command, {
    warehouse: path.join(at.workshop.folder, 'warehouse'),
    table: path.basename(at.key),
    ...args,
  })

/** Makes the table, empty. */
export const createWith = (
  choice: Choice,
  properties: Readonly<Record<string, string>>,
): TheirStep => ({
  name: 'create',
  async run(at) {
    const empty = rowsSql(at.columns, { from: 0, count: 0, seed: 0 })
    await ask(at, 'create', {
      columns_from: await at.workshop.fileOf(empty),
      partition_by: pairs(partitionFields(at.columns, choice)),
      properties,
    })
  },
})

const rows = { count: fc.integer({ min: 1, max: 25 }), seed: fc.nat(1_000) }
const keys = fc.tuple(fc.nat(40), fc.nat(40)).map(([from, count]) => [from, from + count])

function freeColumn(at: TheirTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter((column) => column.name !== KEY.name && wanted(column))
  return free.length === 0 ? undefined : free[index % free.length]
}

/** What PyIceberg can do to a table; a new operation is a new entry. */
const STEPS: readonly fc.Arbitrary<TheirStep>[] = [
  theirStep('append', fc.record(rows), async (at, { count, seed }) =>
    ask(at, 'append', { rows: await newRowsFile(at, count, seed) }),
  ),
  theirStep('overwrite', fc.record(rows), async (at, { count, seed }) =>
    ask(at, 'overwrite', { rows: await newRowsFile(at, count, seed) }),
  ),
  theirStep('overwrite a part', fc.record({ ...rows, keys }), async (at, choice) =>
    ask(at, 'overwrite', {
      rows: await newRowsFile(at, choice.count, choice.seed),
      keys: choice.keys,
    }),
  ),
  theirStep('delete', keys, (at, which) => ask(at, 'delete', { keys: which })),
  theirStep('upsert', fc.record(rows), async (at, { count, seed }) =>
    ask(at, 'upsert', { rows: await mixedRowsFile(at, count, seed) }),
  ),
  theirStep('add column', fc.nat(3), (at, index) =>
    ask(at, 'add_column', { name: `added${index}` }),
  ),
  theirStep('rename column', fc.nat(5), async (at, index) => {
    const old = freeColumn(at, index)?.name
    if (old !== undefined) await ask(at, 'rename_column', { old, new: `${old}${index}` })
  }),
  theirStep('drop column', fc.nat(5), async (at, index) => {
    const name = freeColumn(at, index)?.name
    if (name !== undefined && at.columns.length > 3) await ask(at, 'drop_column', { name })
  }),
  theirStep('widen column', fc.nat(5), async (at, index) => {
    const name = freeColumn(at, index, ({ type }) => type === 'int32' || type === 'float32')?.name
    if (name !== undefined) await ask(at, 'widen_column', { name })
  }),
  theirStep('move column', fc.nat(5), async (at, index) => {
    const name = freeColumn(at, index)?.name
    if (name !== undefined) await ask(at, 'move_first', { name })
  }),
  theirStep('partition anew', partitionChoice, (at, choice) =>
    ask(at, 'repartition', { partition_by: pairs(partitionFields(at.columns, choice)) }),
  ),
]

/** Rows first, so that there is something to change. */
export const pyIcebergSteps = fc
  .tuple(STEPS[0]!, fc.array(fc.oneof(...STEPS), { minLength: 2, maxLength: 7 }))
  .map(([first, others]) => [first, ...others])
