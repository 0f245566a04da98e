import {
  AGGREGATE_SCALE,
  type AggregateDeltas,
  type AggregatesShape,
  finestGrain,
  MINUTES_OF_GRAIN,
  type Series,
  summedMeasures,
} from '../../model/aggregates.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier } from './quote-identifier.ts'

// What changed rows do to kept aggregates. In: a relation of changes, old rows and new ones. Out: what to add to which count, by the shortest
// steps, as text that the engine writes: a value that the driver hands over costs more than counting it. Adding is enough, in any order, because a row
// that changed is its old self taken away and its new self added.

/** Read the deltas of a relation with the table's columns and `_change_type`. */
export async function aggregateDeltas(
  connection: EngineConnection,
  relation: string,
  shape: AggregatesShape,
): Promise<AggregateDeltas> {
  const signed =
    `(SELECT *, floor(epoch_us(${quoteIdentifier(shape.at)}) / 60000000)::BIGINT AS "?minute", ` +
    `CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END AS "?sign" FROM ${relation})`
  const text = async (sql: string) => {
    const [row] = await connection.rows(sql)
    return `[${(row![0] as string | null) ?? ''}]`
  }
  const members: Record<string, string> = {}
  for (const [name, measure] of Object.entries(shape.measures))
    if (measure.kind === 'distinct') members[name] = await text(membersSql(signed, measure.column))
  const series: Record<string, string> = {}
  for (const [name, one] of Object.entries(shape.series))
    series[name] = await text(seriesSql(signed, one))
  return { measures: await text(measuresSql(signed, shape)), series, members }
}

function measuresSql(signed: string, shape: AggregatesShape): string {
  const sums = summedMeasures(shape).map((name, index) => {
    const measure = shape.measures[name]!
    const one = measure.kind === 'count' ? '1' : quoteIdentifier(measure.column)
    return `coalesce(sum("?sign" * ${scaled(one)}), 0)::BIGINT AS v${index}`
  })
  const values = sums.map((_, index) => `v${index}`)
  if (values.length === 0) return `SELECT NULL`
  return (
    `SELECT ${rowsSql(['minute', ...values])} FROM ` +
    `(SELECT "?minute" AS minute, ${sums.join(', ')} FROM ${signed} GROUP BY minute) WHERE ${values.map((value) => `${value} <> 0`).join(' OR ')}`
  )
}

function seriesSql(signed: string, series: Series): string {
  const { each, label, value } = series
  const lines =
    each === undefined
      ? signed
      : `(SELECT "?minute", "?sign", unnest(${quoteIdentifier(each)}, max_depth := 2) FROM ${signed})`
  const width = MINUTES_OF_GRAIN[finestGrain(series)]
  const step = `floor("?minute" / ${width})::BIGINT * ${width}`
  return (
    `SELECT ${rowsSql(['step', 'label', 'v'])} FROM ` +
    `(SELECT ${step} AS step, coalesce(${quoteIdentifier(label)}::VARCHAR, 'unknown') AS label, ` +
    `sum("?sign" * coalesce(${scaled(value)}, 0))::BIGINT AS v FROM ${lines} GROUP BY step, label HAVING v <> 0)`
  )
}

function membersSql(signed: string, column: string): string {
  const month = `date_trunc('month', make_timestamp(minute * 60000000))`
  return (
    `SELECT ${rowsSql(['member', 'minute', 'n'], [month, 'member', 'minute'])} FROM ` +
    `(SELECT ${quoteIdentifier(column)}::VARCHAR AS member, "?minute" AS minute, sum("?sign")::BIGINT AS n ` +
    `FROM ${signed} WHERE member IS NOT NULL GROUP BY member, minute HAVING n <> 0)`
  )
}

/** Rows as the inside of a JSON array; null when there are none. */
const rowsSql = (columns: readonly string[], order = columns.slice(0, 2)) =>
  `string_agg(json_array(${columns.join(', ')})::VARCHAR, ',' ORDER BY ${order.join(', ')})`

const scaled = (value: string) => `round((${value})::DECIMAL(38,4) * ${AGGREGATE_SCALE})::BIGINT`
