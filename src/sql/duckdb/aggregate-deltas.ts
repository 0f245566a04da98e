import type { DuckDBValue } from '@duckdb/node-api'
import {
  AGGREGATE_SCALE,
  type AggregateDeltas,
  type AggregatesShape,
  ALL_TIME,
  MINUTES_OF_GRAIN,
  PERIODS,
  type Period,
  STEP_OF_PERIOD,
} from '../../model/aggregates.ts'
import type { EngineConnection } from './engine.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'

// What changed rows do to kept aggregates. In: a relation of changes, old rows and new ones. Out: what to add to which count. Adding is
// enough, in any order, because a row that changed is its old self taken away and its new self added.

/** Read the deltas of a relation with the table's columns and `_change_type`. */
export async function aggregateDeltas(
  connection: EngineConnection,
  relation: string,
  shape: AggregatesShape,
): Promise<AggregateDeltas> {
  const signed =
    `SELECT *, epoch_us(${quoteIdentifier(shape.at)}) // 60000000 AS "?minute", ` +
    `CASE WHEN _change_type IN ('insert', 'update_postimage') THEN 1 ELSE -1 END AS "?sign" FROM ${relation}`
  const values: DuckDBValue[][][] = []
  const members: DuckDBValue[][][] = []
  const series: DuckDBValue[][][] = []
  for (const period of [...PERIODS, ALL_TIME] as const) {
    const { start, step } = placeSql(period)
    for (const [name, measure] of Object.entries(shape.measures)) {
      const head = `SELECT ${quoteText(name)}, ${quoteText(period)}, ${start} AS s, ${step} AS b`
      if (measure.kind === 'distinct') {
        const member = `${quoteIdentifier(measure.column)}::VARCHAR`
        members.push(
          await connection.rows(
            `SELECT ${quoteText(name)}, ${quoteText(period)}, ${start} AS s, ${member} AS m, ` +
              `coalesce(min(${step}) FILTER ("?sign" > 0), min(${step})), sum("?sign")::INTEGER AS n ` +
              `FROM (${signed}) WHERE ${member} IS NOT NULL GROUP BY s, m HAVING n <> 0`,
          ),
        )
        continue
      }
      const one = measure.kind === 'count' ? '1' : quoteIdentifier(measure.column)
      values.push(
        await connection.rows(
          `${head}, sum("?sign" * ${scaled(one)})::BIGINT AS v FROM (${signed}) GROUP BY s, b HAVING v <> 0`,
        ),
      )
    }
  }
  for (const [name, { each, label, value, grains }] of Object.entries(shape.series)) {
    const lines =
      each === undefined
        ? signed
        : `SELECT "?minute", "?sign", unnest(${quoteIdentifier(each)}, max_depth := 2) FROM (${signed})`
    for (const grain of grains) {
      const step = `("?minute" - "?minute" % ${MINUTES_OF_GRAIN[grain]})`
      series.push(
        await connection.rows(
          `SELECT ${quoteText(name)}, ${quoteText(grain)}, ${step} AS b, coalesce(${quoteIdentifier(label)}::VARCHAR, 'unknown') AS l, ` +
            `sum("?sign" * coalesce(${scaled(value)}, 0))::BIGINT AS v FROM (${lines}) GROUP BY b, l HAVING v <> 0`,
        ),
      )
    }
  }
  return {
    values: values
      .flat()
      .map(([m, p, s, b, v]) => [
        ...([m, p] as [string, string]),
        ...([Number(s), Number(b)] as [number, number]),
        v as bigint,
      ]),
    members: members
      .flat()
      .map(([m, p, s, member, first, n]) => [
        ...([m, p, Number(s), member, Number(first), Number(n)] as [
          string,
          string,
          number,
          string,
          number,
          number,
        ]),
      ]),
    series: series
      .flat()
      .map(([name, grain, b, label, v]) => [
        ...([name, grain, Number(b), label] as [string, string, number, string]),
        v as bigint,
      ]),
  }
}

const scaled = (value: string) => `round((${value})::DECIMAL(38,4) * ${AGGREGATE_SCALE})::BIGINT`

/** As `periodStart` of `model/aggregates.ts`, for whole columns. */
function placeSql(period: Period | typeof ALL_TIME): { start: string; step: string } {
  const minute = '"?minute"'
  const day = `(${minute} // 1440)`
  if (period === ALL_TIME) return { start: '0', step: '0' }
  const width = MINUTES_OF_GRAIN[STEP_OF_PERIOD[period]]
  const step = `(${minute} - ${minute} % ${width})`
  switch (period) {
    case 'hour':
      return { start: `(${minute} - ${minute} % 60)`, step }
    case 'day':
      return { start: `(${day} * 1440)`, step }
    case 'week':
      return { start: `((${day} - (${day} + 3) % 7) * 1440)`, step }
    case 'month':
      return {
        start: `(epoch_us(date_trunc('month', make_timestamp(${minute} * 60000000))::TIMESTAMP) // 60000000)`,
        step,
      }
  }
}
