import path from 'node:path'
import fc from 'fast-check'
import type { Column } from '../../src/model/column.ts'
import { KEY } from './random-columns.ts'
import {
  type ConditionChoice,
  conditionChoice,
  drawCondition,
  sparkIdentifier,
  sparkType,
} from './random-condition.ts'
import { type PartitionField, partitionChoice, partitionFields } from './random-transforms.ts'
import {
  mixedRowsFile,
  newRowsFile,
  type TheirStep,
  type TheirTable,
  theirStep,
} from './their-table.ts'

/** Settings of Spark for a catalog of the file system, `ice`, with the tables `<warehouse>/db/<name>`. */
export const icebergCatalog = (warehouse: string): Readonly<Record<string, string>> => ({
  'spark.sql.catalog.ice': 'org.apache.iceberg.spark.SparkCatalog',
  'spark.sql.catalog.ice.type': 'hadoop',
  'spark.sql.catalog.ice.warehouse': warehouse,
  // Others write the tables too.
  'spark.sql.catalog.ice.cache-enabled': 'false',
})

export const sparkIcebergProperties = fc
  .record({
    'format-version': fc.constantFrom('1', '2', '2', '3', '3'),
    mode: fc.constantFrom('merge-on-read', 'copy-on-write'),
    'write.parquet.compression-codec': fc.constantFrom('snappy', 'zstd'),
    'write.metadata.compression-codec': fc.constantFrom('none', 'gzip'),
    'write.metadata.metrics.default': fc.constantFrom('none', 'counts', 'truncate(4)', 'full'),
    'write.delete.granularity': fc.constantFrom('file', 'partition'),
  })
  .map(({ mode, ...others }) => ({
    ...others,
    'write.delete.mode': mode,
    'write.update.mode': mode,
    'write.merge.mode': mode,
    'write.distribution-mode': 'none',
    'write.spark.fanout.enabled': 'true',
  }))

type Choice = Parameters<typeof partitionFields>[1]

const tableSql = ({ key }: TheirTable) => `ice.db.${path.basename(key)}`
const run = (at: TheirTable, ...sql: string[]) => at.engine.ask('run', { sql })
const alter = (at: TheirTable, sql: string) => run(at, `ALTER TABLE ${tableSql(at)} ${sql}`)
const call = (at: TheirTable, procedure: string, more = '') =>
  run(at, `CALL ice.system.${procedure}(table => 'db.${path.basename(at.key)}'${more})`)

function transformSql({ column, transform }: PartitionField): string {
  const name = sparkIdentifier(column)
  const [, word, width] = /^(\w+)(?:\[(\d+)\])?$/.exec(transform)!
  if (word === 'identity') return name
  return width === undefined ? `${word}s(${name})` : `${word}(${width}, ${name})`
}

/** Makes the table, empty. */
export const createWith = (
  choice: Choice,
  properties: Readonly<Record<string, string>>,
): TheirStep => ({
  name: 'create',
  run(at) {
    const columns = at.columns.map(
      ({ name, type, nullable }) =>
        `${sparkIdentifier(name)} ${sparkType(type)}${nullable ? '' : ' NOT NULL'}`,
    )
    const fields = partitionFields(at.columns, choice).map(transformSql)
    const pairs = Object.entries(properties).map(([name, value]) => `'${name}' = '${value}'`)
    return run(
      at,
      `CREATE TABLE ${tableSql(at)} (${columns.join(', ')}) USING iceberg ` +
        (fields.length === 0 ? '' : `PARTITIONED BY (${fields.join(', ')}) `) +
        `TBLPROPERTIES (${pairs.join(', ')})`,
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

function freeColumn(at: TheirTable, index: number, wanted = (_: Column) => true) {
  const free = at.columns.filter((column) => column.name !== KEY.name && wanted(column))
  return free.length === 0 ? undefined : free[index % free.length]
}

/** What Spark can do to an Iceberg table; a new operation is a new entry. */
const STEPS: readonly fc.Arbitrary<TheirStep>[] = [
  theirStep('insert', fc.record(rows), async (at, choice) => {
    await newRows(at, choice)
    await run(at, `INSERT INTO ${tableSql(at)} SELECT * FROM rows`)
  }),
  theirStep('overwrite', fc.record(rows), async (at, choice) => {
    await newRows(at, choice)
    await run(at, `INSERT OVERWRITE ${tableSql(at)} SELECT * FROM rows`)
  }),
  theirStep('delete', conditionChoice, async (at, choice) => {
    const where = (await conditionAt(at, choice))?.spark
    if (where !== undefined) await run(at, `DELETE FROM ${tableSql(at)} WHERE ${where}`)
  }),
  theirStep('delete a few', fc.nat(6), (at, rest) =>
    run(at, `DELETE FROM ${tableSql(at)} WHERE ${KEY.name} % 7 = ${rest}`),
  ),
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
    const name = sparkIdentifier(`${column.name}${index}`)
    await alter(at, `RENAME COLUMN ${sparkIdentifier(column.name)} TO ${name}`)
  }),
  theirStep('drop column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column !== undefined && at.columns.length > 3)
      await alter(at, `DROP COLUMN ${sparkIdentifier(column.name)}`)
  }),
  theirStep('widen column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index, ({ type }) => type === 'int32' || type === 'float32')
    if (column === undefined) return
    const wider = column.type === 'int32' ? 'BIGINT' : 'DOUBLE'
    await alter(at, `ALTER COLUMN ${sparkIdentifier(column.name)} TYPE ${wider}`)
  }),
  theirStep('move column', fc.nat(5), async (at, index) => {
    const column = freeColumn(at, index)
    if (column !== undefined) await alter(at, `ALTER COLUMN ${sparkIdentifier(column.name)} FIRST`)
  }),
  theirStep('add partition field', partitionChoice, async (at, choice) => {
    const [field] = partitionFields(at.columns, choice)
    if (field !== undefined) await alter(at, `ADD PARTITION FIELD ${transformSql(field)}`)
  }),
  theirStep('drop partition field', partitionChoice, async (at, choice) => {
    const [field] = partitionFields(at.columns, choice)
    if (field !== undefined) await alter(at, `DROP PARTITION FIELD ${transformSql(field)}`)
  }),
  theirStep('to version 3', fc.constant({}), (at) =>
    alter(at, `SET TBLPROPERTIES ('format-version' = '3')`),
  ),
  theirStep('rewrite data files', fc.constant({}), (at) =>
    call(at, 'rewrite_data_files', `, options => map('rewrite-all', 'true')`),
  ),
  theirStep('rewrite manifests', fc.constant({}), (at) => call(at, 'rewrite_manifests')),
  theirStep('rewrite position deletes', fc.constant({}), (at) =>
    call(at, 'rewrite_position_delete_files'),
  ),
  theirStep('expire', fc.constant({}), (at) =>
    call(at, 'expire_snapshots', `, older_than => TIMESTAMP '2100-01-01 00:00:00'`),
  ),
]

/** Rows first, so that there is something to change. */
export const sparkIcebergSteps = fc
  .tuple(STEPS[0]!, fc.array(fc.oneof(...STEPS), { minLength: 3, maxLength: 7 }))
  .map(([first, others]) => [first, ...others])
