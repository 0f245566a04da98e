import type { AggregatesShape } from '../model/aggregates.ts'
import type { PipelinePlan, TablePlan } from './plan.ts'

type Report = (where: string, what: string, fix: string) => void

const TABLE_NAME = /^(bronze|silver|gold)\.[a-z][a-z0-9_]*$/
const STORE_NAME = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/

/** What a pipeline says about references and about the tables whose rows are joined with them. */
export function checkReferences(
  {
    references,
    tables,
    documents,
    aggregates,
    warehouses,
  }: Pick<PipelinePlan, 'references' | 'tables' | 'documents' | 'aggregates' | 'warehouses'>,
  report: Report,
): void {
  for (const { name, table, key, columns, history } of references) {
    const where = `reference ${name}`
    if (!/^[a-z][a-z0-9_]*$/.test(name))
      report(where, 'is no name of a reference', 'Use snake_case')
    if (!STORE_NAME.test(table)) report(where, `"${table}" is no table name`, 'Use snake_case')
    if (!TABLE_NAME.test(history))
      report(where, `"${history}" is no lake table`, 'Use layer.name, such as silver.customers')
    if (!columns.some((column) => column.name === key)) {
      const known = columns.map((column) => column.name).join(', ')
      report(where, `names "${key}" as its key, which it does not have`, `Its columns are ${known}`)
    }
    for (const taken of ['valid_from', 'valid_to', 'known_at'])
      if (columns.some((column) => column.name === taken))
        report(where, `has a column "${taken}", which its history needs`, 'Rename it')
  }
  for (const plan of [...documents, ...aggregates]) {
    const where = 'id' in plan ? `documents ${plan.collection.name}` : `aggregates ${plan.name}`
    const table = tables.find(({ name }) => name === plan.from)
    if (table === undefined) {
      const known = tables.map(({ name }) => name).join(', ')
      report(
        where,
        `follows "${plan.from}", which is no table of this pipeline`,
        `There are ${known}`,
      )
      continue
    }
    if (table.format !== 'delta')
      report(where, 'follows a table that is not Delta', 'Follow another')
    const named = 'id' in plan ? [plan.id, ...plan.columns] : shapeColumns(plan.shape)
    for (const column of named)
      if (!table.columns.some(({ name }) => name === column))
        report(where, `names "${column}", which ${plan.from} does not have`, 'Name its columns')
  }
  for (const { name, from, day, tables: loaded, views } of warehouses) {
    const where = `warehouse ${name}`
    const source = tables.find((table) => table.name === from)
    const days = [source?.partitionBy?.as, ...(source?.columns ?? []).map((column) => column.name)]
    if (source === undefined || source.format !== 'delta')
      report(where, `follows "${from}", which is no Delta table of this pipeline`, 'Follow one')
    else if (!days.includes(day))
      report(where, `goes by "${day}", which ${from} does not have`, 'Name its column of days')
    for (const one of [...loaded, ...views])
      if (!/^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$/.test(one.name))
        report(where, `"${one.name}" is no table name`, 'Use schema.table in snake_case')
    for (const { name: table, columns, load } of loaded) {
      const by = load.by === 'day' ? load.day : load.key
      if (!columns.some((column) => column.name === by))
        report(where, `loads ${table} by "${by}", which it does not have`, 'Name its column')
    }
  }
  for (const table of tables) checkJoins(table, references, report)
}

const shapeColumns = ({ at, measures, series }: AggregatesShape): string[] => [
  at,
  ...Object.values(measures).flatMap((measure) =>
    measure.kind === 'count' ? [] : [measure.column],
  ),
  ...Object.values(series).flatMap(({ each, label }) => [each ?? label]),
]

function checkJoins(
  table: TablePlan,
  references: PipelinePlan['references'],
  report: Report,
): void {
  const where = `table ${table.name}`
  const joins = table.steps.flatMap((step) => (step.kind === 'join' ? [step] : []))
  for (const { reference } of joins)
    if (!references.some(({ name }) => name === reference))
      report(
        where,
        `is joined with the reference "${reference}", which is not this pipeline's`,
        'Declare it with p.reference',
      )
  if (joins.length > 0 && table.key === undefined)
    report(
      where,
      'is joined with references and has no key',
      'Give it { key }, so that a row can be written again when a reference comes late',
    )
  if (table.key !== undefined && table.format !== 'delta')
    report(where, `keeps rows by key as ${table.format}`, 'Leave the format out: Delta tables can')
  if (table.key !== undefined && !table.columns.some(({ name }) => name === table.key))
    report(
      where,
      `names "${table.key}" as its key, which it does not have`,
      'Name one of its columns',
    )
}
