import { type AskWorld, ask } from '../flow/ask.ts'
import type { RunningHop } from '../flow/running-hop.ts'
import { stampOf } from '../flow/table-stamps.ts'
import { viewReads } from '../flow/tables-to-sql.ts'
import type { Clock } from '../model/clock.ts'
import { runQuery } from '../sql/duckdb/query.ts'
import { KeptAnswers } from './kept-answers.ts'

/** A screen shows no more, and a page must not wait. */
const CHART_ROW_COUNT_MAX = 5_000
const CHART_MS_MAX = 30_000

/** The dashboards of a platform. */
export function openDashboards(
  world: AskWorld,
  hops: readonly RunningHop[],
  clock: Clock,
): KeptAnswers {
  const { engine, lake, plans } = world
  let views: Promise<ReadonlyMap<string, readonly string[]>> | undefined
  return new KeptAnswers({
    ...{ plans, clock },
    ask: (sql) =>
      ask(world, { sql, rowCountMax: CHART_ROW_COUNT_MAX, timeoutMs: CHART_MS_MAX }, runQuery),
    stamp: async (sql) => {
      const counts = await Promise.all(hops.map(({ hop }) => hop.status()))
      const served = counts.reduce(
        (sum, { cursor }) => sum + cursor.reduce((all, { offset }) => all + offset, 0),
        0,
      )
      return stampOf(
        {
          ...{ engine, lake },
          servedCount: () => served,
          views: () => {
            views ??= viewReads(engine, plans)
            return views
          },
        },
        sql,
      )
    },
  })
}
