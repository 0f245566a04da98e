import path from 'node:path'
import fc from 'fast-check'
import type { Column, Columns, ColumnType } from '../../src/model/column.ts'
import { KEY } from './random-columns.ts'
import type { Condition } from './random-condition.ts'
import { newRowsFile, type TheirStep, type TheirTable, theirStep } from './their-table.ts'

// ClickHouse changes Iceberg tables, which it makes itself, and appends to Delta tables that are there.

/** In whole rows of its own: days of the years it has, which our random ones are not. */
export const DAY: Column = { name: 'day', type: 'date', nullable: true }

export const clickHouseIdentifier = (name: string) =>
  `\`${name.replaceAll('\\', '\\\\').replaceAll('`', '\\`')}\``

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'Bool',
  int8: 'Int8',
  int16: 'Int16',
  int32: 'Int32',
  int64: 'Int64',
  float32: 'Float32',
  float64: 'Float64',
  string: 'String',
  binary: 'String',
  date: 'Date32',
}

function typeSql(type: ColumnType): string {
  if (typeof type === 'string') return TYPES[type]!
  if (type.kind === 'decimal') return `Decimal(${type.precision}, ${type.scale})`
  throw new Error('Only scalars.')
}

export function conditionSql({ column, op, text }: Condition): string {
  const name = clickHouseIdentifier(column.name)
  if (text === null) return `${name} IS NULL`
  const { type } = column
  const bytes = type === 'string' ? Buffer.from(text).toString('hex') : text
  const isText = type === 'string' || type === 'binary'
  return `${name} ${op} ${isText ? `unhex('${bytes}')` : `CAST('${text}', '${typeSql(type)}')`}`
}

/** The table's function, or its name where ClickHouse made it. */
const tableSql = ({ key }: TheirTable) => clickHouseIdentifier(path.basename(key))
const run = (at: TheirTable, ...sql: string[]) => at.engine.ask('run', { sql })
const alter = (at: TheirTable, sql: string) => run(at, `ALTER TABLE ${tableSql(at)} ${sql}`)

const PARTITIONS = [
  () => [],
  () => ['icebergBucket(4, k)'],
  () => ['toMonthNumSinceEpoch(day)'],
  () => ['toRelativeDayNum(day)', 'icebergTruncate(3, k)'],
  (of: Columns) =>
    of
      .filter(({ type }) => type === 'string')
      .map(({ name }) => clickHouseIdentifier(name))
      .slice(0, 1),
]
export const clickHousePartitions = fc.constantFrom(...PARTITIONS)

/** Makes the Iceberg table, empty. */
export const createWith = (partitions: (of: Columns) => readonly string[]): TheirStep => ({
  name: 'create',
  async run(at) {
    const columns = at.columns.map(({ name, type, nullable }) => {
      const plain = typeSql(type)
      return `${clickHouseIdentifier(name)} ${nullable ? `Nullable(${plain})` : plain}`
    })
    const by = partitions(at.columns)
    const split = by.length === 0 ? '' : ` PARTITION BY (${by.join(', ')})`
    await run(
      at,
      `CREATE TABLE ${tableSql(at)} (${columns.join(', ')}) ENGINE = IcebergLocal('${at.location}/', 'Parquet')${split}`,
    )
  },
})

/** Append random rows; what comes as `day` is of the years that ClickHouse has. */
async function insertInto(at: TheirTable, table: string, { count, seed }: RowsChoice) {
  const cells = at.columns.map(({ name }) =>
    name === DAY.name ? `addDays(toDate32('2024-02-27'), k % 40)` : clickHouseIdentifier(name),
  )
  const file = await newRowsFile(at, count, seed)
  await run(at, `INSERT INTO ${table} SELECT ${cells.join(', ')} FROM file('${file}', 'Parquet')`)
}

type RowsChoice = { readonly count: number; readonly seed: number }
const rows = fc.record({ count: fc.integer({ min: 1, max: 25 }), seed: fc.nat(1_000) })

function freeColumn(at: TheirTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter(
    (column) => ![KEY.name, DAY.name].includes(column.name) && wanted(column),
  )
  return free.length === 0 ? undefined : free[index % free.length]
}

/** What ClickHouse can do to an Iceberg table; a new operation is a new entry. */
const ICEBERG_STEPS: readonly fc.Arbitrary<TheirStep>[] = [
  theirStep('insert', rows, (at, choice) => insertInto(at, tableSql(at), choice)),
  theirStep('delete', fc.nat(6), (at, rest) => alter(at, `DELETE WHERE k % 7 = ${rest}`)),
  theirStep('update', fc.tuple(fc.nat(5), fc.nat(6)), async (at, [index, rest]) => {
    const name = freeColumn(at, index)?.name
    if (name !== undefined)
      await alter(at, `UPDATE ${clickHouseIdentifier(name)} = NULL WHERE k % 7 = ${rest}`)
  }),
  theirStep('add column', fc.nat(3), (at, index) =>
    alter(at, `ADD COLUMN added${index} Nullable(Int32)`),
  ),
  theirStep('drop column', fc.nat(5), async (at, index) => {
    const name = freeColumn(at, index)?.name
    if (name !== undefined && at.columns.length > 4)
      await alter(at, `DROP COLUMN ${clickHouseIdentifier(name)}`)
  }),
  theirStep('rename column', fc.nat(5), async (at, index) => {
    const name = freeColumn(at, index)?.name
    if (name === undefined) return
    const [old, fresh] = [name, `${name}${index}`].map(clickHouseIdentifier)
    await alter(at, `RENAME COLUMN ${old} TO ${fresh}`)
  }),
  theirStep('widen column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => type === 'int32' || type === 'float32')
    if (column === undefined) return
    const wider = column.type === 'int32' ? 'Int64' : 'Float64'
    await alter(at, `MODIFY COLUMN ${clickHouseIdentifier(column.name)} Nullable(${wider})`)
  }),
  theirStep('optimize', fc.constant(0), (at) => run(at, `OPTIMIZE TABLE ${tableSql(at)}`)),
]

/** Rows first, so that there is something to change. */
export const clickHouseSteps = fc
  .tuple(ICEBERG_STEPS[0]!, fc.array(fc.oneof(...ICEBERG_STEPS), { minLength: 2, maxLength: 7 }))
  .map(([first, others]) => [first, ...others])

/** What ClickHouse can do to a Delta table. */
export const clickHouseAppend = theirStep('insert', rows, (at, choice) =>
  insertInto(at, `FUNCTION deltaLakeLocal('${at.location}/')`, choice),
)
