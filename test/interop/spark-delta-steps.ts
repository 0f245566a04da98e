import fc from 'fast-check'
import type { Column, ColumnType } from '../../src/model/column.ts'
import { isScalar, KEY } from './random-columns.ts'
import {
  type ConditionChoice,
  conditionChoice,
  drawCondition,
  sparkIdentifier,
  sparkType,
} from './random-condition.ts'
import {
  mixedRowsFile,
  newRowsFile,
  type TheirStep,
  type TheirTable,
  theirStep,
} from './their-table.ts'

/** Properties that turn on features of the format; any set of them can be asked for together. */
export const sparkProperties = fc.record(
  {
    'delta.enableDeletionVectors': fc.constant('true'),
    'delta.columnMapping.mode': fc.constantFrom('name', 'id'),
    'delta.enableChangeDataFeed': fc.constant('true'),
    'delta.checkpointPolicy': fc.constant('v2'),
    'delta.checkpointInterval': fc.constantFrom('1', '2', '3'),
    'delta.checkpoint.writeStatsAsStruct': fc.constantFrom('true', 'false'),
    'delta.checkpoint.writeStatsAsJson': fc.constantFrom('true', 'false'),
    'delta.enableTypeWidening': fc.constant('true'),
    'delta.enableInCommitTimestamps': fc.constant('true'),
    'delta.enableRowTracking': fc.constant('true'),
    'delta.randomizeFilePrefixes': fc.constant('true'),
    'delta.dataSkippingNumIndexedCols': fc.constantFrom('-1', '0', '2'),
    'delta.parquet.compression.codec': fc.constantFrom('snappy', 'zstd'),
  },
  { requiredKeys: [], noNullPrototype: true },
)

const tableSql = ({ location }: TheirTable) => `delta.\`${location}\``
const run = (at: TheirTable, ...sql: string[]) => at.engine.ask('run', { sql })

const alter = (at: TheirTable, sql: string) => run(at, `ALTER TABLE ${tableSql(at)} ${sql}`)

/** Makes the table, empty, and clustered by what it would be partitioned by, if so wanted. */
export const createWith = (choice: {
  readonly properties: Readonly<Record<string, string>>
  readonly isClustered: boolean
}): TheirStep => ({
  name: 'create',
  run(at) {
    const columns = at.columns.map(
      ({ name, type, nullable }) =>
        `${sparkIdentifier(name)} ${sparkType(type)}${nullable ? '' : ' NOT NULL'}`,
    )
    const names = at.partitionBy.map(sparkIdentifier).join(', ')
    const layout = choice.isClustered ? 'CLUSTER BY' : 'PARTITIONED BY'
    const properties = Object.entries(choice.properties).map(([k, v]) => `'${k}' = '${v}'`)
    return run(
      at,
      `CREATE TABLE ${tableSql(at)} (${columns.join(', ')}) USING delta ` +
        (names === '' ? '' : `${layout} (${names}) `) +
        (properties.length === 0 ? '' : `TBLPROPERTIES (${properties.join(', ')})`),
    )
  },
})

const rows = { count: fc.integer({ min: 1, max: 25 }), seed: fc.nat(1_000) }
type RowsChoice = { readonly count: number; readonly seed: number }

const conditionAt = (at: TheirTable, choice: ConditionChoice) =>
  drawCondition(at.workshop, { table: at.current, columns: at.columns }, choice)

/** Put new rows before Spark under the name `rows`. */
async function newRows(at: TheirTable, { count, seed }: RowsChoice): Promise<void> {
  await at.engine.ask('view', { name: 'rows', rows: await newRowsFile(at, count, seed) })
}

const WIDER: Readonly<Record<string, ColumnType>> = {
  int8: 'int16',
  int16: 'int32',
  int32: 'int64',
  float32: 'float64',
  date: 'timestamp_ntz',
}

/** A column that is not the key, and that the table is not laid out by. */
function freeColumn(at: TheirTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter(
    (column) => column.name !== KEY.name && !at.partitionBy.includes(column.name) && wanted(column),
  )
  return free.length === 0 ? undefined : free[index % free.length]
}

/** What Spark can do to a Delta table; a new operation is a new entry. */
const STEPS: readonly fc.Arbitrary<TheirStep>[] = [
  theirStep('insert', fc.record(rows), async (at, choice) => {
    await newRows(at, choice)
    await run(at, `INSERT INTO ${tableSql(at)} SELECT * FROM rows`)
  }),
  theirStep('overwrite', fc.record(rows), async (at, choice) => {
    await newRows(at, choice)
    await run(at, `INSERT OVERWRITE ${tableSql(at)} SELECT * FROM rows`)
  }),
  theirStep('replace where', fc.record(rows), async (at, choice) => {
    await newRows(at, choice)
    const { name } = KEY
    await run(
      at,
      `INSERT INTO ${tableSql(at)} REPLACE WHERE ${name} >= ${at.nextKey - 10} ` +
        `SELECT * FROM rows WHERE ${name} >= ${at.nextKey - 10}`,
    )
  }),
  theirStep('delete', conditionChoice, async (at, choice) => {
    const where = (await conditionAt(at, choice))?.spark
    if (where !== undefined) await run(at, `DELETE FROM ${tableSql(at)} WHERE ${where}`)
  }),
  theirStep('delete a few', fc.nat(6), async (at, rest) => {
    await run(at, `DELETE FROM ${tableSql(at)} WHERE ${KEY.name} % 7 = ${rest}`)
  }),
  theirStep('update', fc.tuple(conditionChoice, conditionChoice), async (at, [a, b]) => {
    const where = (await conditionAt(at, a))?.spark
    const value = await conditionAt(at, b)
    if (where === undefined || value === undefined || value.column.name === KEY.name) return
    const column = sparkIdentifier(value.column.name)
    await run(at, `UPDATE ${tableSql(at)} SET ${column} = ${value.literal.spark} WHERE ${where}`)
  }),
  theirStep('merge', fc.record(rows), async (at, { count, seed }) => {
    await at.engine.ask('view', { name: 'rows', rows: await mixedRowsFile(at, count, seed) })
    const { name } = KEY
    await run(
      at,
      `MERGE INTO ${tableSql(at)} t USING rows s ON t.${name} = s.${name} ` +
        `WHEN MATCHED AND s.${name} % 3 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * ` +
        'WHEN NOT MATCHED THEN INSERT *',
    )
  }),
  theirStep('add column', fc.nat(3), (at, number) =>
    alter(at, `ADD COLUMNS (added${number} STRING)`),
  ),
  theirStep('rename column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column === undefined) return
    const name = sparkIdentifier(`${column.name} ${index}`)
    await alter(at, `RENAME COLUMN ${sparkIdentifier(column.name)} TO ${name}`)
  }),
  theirStep('drop column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column === undefined || at.columns.length < 4) return
    await alter(at, `DROP COLUMN ${sparkIdentifier(column.name)}`)
  }),
  theirStep('widen column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => typeof type === 'string' && type in WIDER)
    if (column === undefined) return
    const wider = sparkType(WIDER[column.type as string]!)
    await alter(at, `ALTER COLUMN ${sparkIdentifier(column.name)} TYPE ${wider}`)
  }),
  theirStep('move column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column !== undefined) await alter(at, `ALTER COLUMN ${sparkIdentifier(column.name)} FIRST`)
  }),
  theirStep('optimize', fc.constant({}), (at) => run(at, `OPTIMIZE ${tableSql(at)}`)),
  theirStep('z-order', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => isScalar(type))
    if (column !== undefined)
      await run(at, `OPTIMIZE ${tableSql(at)} ZORDER BY (${sparkIdentifier(column.name)})`)
  }),
  theirStep('purge', fc.constant({}), (at) => run(at, `REORG TABLE ${tableSql(at)} APPLY (PURGE)`)),
  theirStep('restore', fc.constant({}), (at) =>
    run(at, `RESTORE TABLE ${tableSql(at)} TO VERSION AS OF 1`),
  ),
  theirStep('vacuum', fc.constant({}), (at) => run(at, `VACUUM ${tableSql(at)} RETAIN 0 HOURS`)),
  theirStep(
    'turn on',
    fc.constantFrom('delta.enableDeletionVectors', 'delta.enableChangeDataFeed'),
    (at, name) => alter(at, `SET TBLPROPERTIES ('${name}' = 'true')`),
  ),
]

/** Rows first, so that there is something to change. */
export const sparkDeltaSteps = fc
  .tuple(STEPS[0]!, fc.array(fc.oneof(...STEPS), { minLength: 3, maxLength: 7 }))
  .map(([first, others]) => [first, ...others])
