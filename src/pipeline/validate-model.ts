import {
  isDayText,
  type SqlModel,
  WINDOW_DAYS_MAX,
  type WindowMaterialization,
} from '../model/sql-model.ts'

type Report = (where: string, what: string, fix: string) => void

const TABLE_NAME = /^(bronze|silver|gold)\.[a-z][a-z0-9_]*$/
const INCREMENTAL = new Set(['append', 'merge', 'partitions', 'window'])

/** What is wrong with a model as far as it can be told without its SQL. */
export function checkModel(model: SqlModel, report: Report): void {
  const where = `model ${model.name}`
  const { materialize, incoming } = model
  if (!TABLE_NAME.test(model.name))
    report(where, 'is no table name', 'Use layer.name in snake_case, the layer silver or gold')
  if (INCREMENTAL.has(materialize.kind) && incoming === undefined)
    report(
      where,
      `is kept by ${materialize.kind} and names no incoming table`,
      "Say incoming: 'layer.name', the table whose new rows it takes",
    )
  if (
    !INCREMENTAL.has(materialize.kind) &&
    materialize.kind !== 'snapshot' &&
    incoming !== undefined
  )
    report(
      where,
      `is a ${materialize.kind}, which has no incoming rows`,
      'Leave incoming out, or materialize it by append, merge, partitions or window',
    )
  if (incoming === model.name)
    report(where, 'names itself as its incoming table', 'Name the table it is made from')
  if (
    (materialize.kind === 'merge' || materialize.kind === 'snapshot') &&
    materialize.key.length === 0
  )
    report(where, 'has an empty key', 'Name the columns that tell rows apart')
  if (materialize.kind === 'partitions') {
    if (materialize.by.length === 0)
      report(where, 'is kept by partitions and names none', 'Name the columns in by')
    const lacking = materialize.by.filter((name) => !model.partitionBy.includes(name))
    if (lacking.length > 0)
      report(
        where,
        `replaces partitions by ${lacking.join(', ')}, by which the table is not partitioned`,
        'Leave partitionBy out, or name the same columns in it',
      )
    const strange = Object.values(materialize.reads)
      .flatMap((reaches) => Object.values(reaches))
      .filter(({ of }) => !materialize.by.includes(of))
    for (const { of } of strange)
      report(
        where,
        `reads by "${of}", which is no partition of it`,
        `Its partitions are ${materialize.by.join(', ')}`,
      )
  }
  if (materialize.kind === 'window') checkWindow(where, materialize, model, report)
  if (materialize.kind === 'view' && model.partitionBy.length > 0)
    report(where, 'is a view and has partitions', 'Leave partitionBy out')
  checkTests(where, model, report)
}

function checkWindow(
  where: string,
  { key, day, days, lastDay, daysCount }: WindowMaterialization,
  { onChange }: SqlModel,
  report: Report,
): void {
  if (key.length === 0) report(where, 'has an empty key', 'Name the columns that a total is for')
  if (!Number.isInteger(days) || days < 1 || days > WINDOW_DAYS_MAX)
    report(where, `has a window of ${days} days`, `Say a whole number from 1 to ${WINDOW_DAYS_MAX}`)
  if (lastDay !== undefined && !isDayText(lastDay))
    report(where, `has a window that ends with ${lastDay}`, 'Say a day such as 2022-04-30')
  if (new Set([...key, day, daysCount]).size < key.length + 2)
    report(where, 'uses one name twice', 'Name key, day and daysCount apart')
  if (onChange === 'keep')
    report(
      where,
      'keeps rows of another SQL',
      'Leave onChange out: old sums cannot be added to new ones',
    )
}

function checkTests(where: string, model: SqlModel, report: Report): void {
  for (const [kind, names] of [
    ['test', model.tests.map(({ name }) => name)],
    ['unit test', model.unitTests.map(({ name }) => name)],
  ] as const)
    for (const name of new Set(names.filter((each, index) => names.indexOf(each) !== index)))
      report(where, `has two ${kind}s named "${name}"`, 'Give each a name of its own')
  for (const test of model.tests) {
    if (
      test.kind === 'freshness' &&
      test.warnAfterMs === undefined &&
      test.errorAfterMs === undefined
    )
      report(where, `has a freshness test without an age`, 'Say warnAfterMs, errorAfterMs or both')
    if (test.kind === 'row_count' && test.min === undefined && test.max === undefined)
      report(where, 'has a row count test without bounds', 'Say min, max or both')
    if (test.kind === 'accepted' && test.values.length === 0)
      report(where, `accepts no value of "${test.column}"`, 'Name the values')
  }
}
