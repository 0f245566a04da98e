import { lineageOf, type ModelLineage } from '../flow/model-lineage.ts'
import { riverOf } from '../flow/river.ts'
import { lineageAround } from '../flow/table-lineage.ts'
import { changeQuery } from '../flow/tables-to-sql.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { TableMissingError } from '../lake/errors.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { runQuery } from '../sql/duckdb/query.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue, refusal } from './read-request.ts'
import { resultView } from './sql-routes.ts'
import { versionView } from './views.ts'

// What is known about a table beyond its rows: where its columns come from and go, how it is divided, what each commit did.

/** Models change with the program, and columns of undeclared tables hardly ever. */
const LINEAGE_KEPT_MS = 30_000
const PARTITIONS = { otherwise: 500, max: 10_000 }
const CHANGES = { otherwise: 50, max: 1_000 }
const CHANGES_MS_MAX = 30_000

export function tableInsightRoutes(platform: Platform): readonly HttpRoute[] {
  const lineage = keptLineage(platform)
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/lineage',
      summary: 'What a table is made of and what is made of it, column by column',
      description:
        '`tables` has the table (depth 0), what it is made of (below zero) and what is made of it (above zero), over any number of models. `columns` joins columns: `identity`, `transformation` or `aggregation`. `ends` are topics, files and stores.',
      answer: async ({ params }) => lineageView(platform, await lineage(), params.name!),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/partitions',
      summary: 'Partitions of a table with their files, bytes and rows',
      query: { limit: `How many, in order; default ${PARTITIONS.otherwise}.` },
      answer: async (exchange) => partitionsView(platform, exchange),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/changes',
      summary: 'What commits did to the rows of a table',
      description:
        'Rows with `_change_type`, `_commit_version` and `_commit_timestamp`, and how many there are of each kind.',
      query: {
        from: 'First version (of an Iceberg table a snapshot id), inclusive. Required.',
        to: 'Last version, inclusive; default the same.',
        limit: `Rows to show; default ${CHANGES.otherwise}.`,
      },
      answer: async (exchange) => changesView(platform, exchange),
    }),
  ]
}

/** All models' lineage, found again when it is old. */
function keptLineage({ engine, plans, lake, clock }: Platform) {
  let kept: { readonly atMs: number; readonly all: Promise<readonly ModelLineage[]> } | undefined
  const open = async (name: string) => {
    try {
      return await lake.state(name)
    } catch (error) {
      if (error instanceof TableMissingError) return undefined
      throw error
    }
  }
  return () => {
    const nowMs = clock.nowMs()
    if (kept === undefined || nowMs - kept.atMs > LINEAGE_KEPT_MS) {
      kept = { atMs: nowMs, all: lineageOf({ engine, plans, lake: { open } }) }
      kept.all.catch(() => {
        kept = undefined
      })
    }
    return kept.all
  }
}

async function lineageView(platform: Platform, all: readonly ModelLineage[], name: string) {
  // A view has lineage and is no table of the lake.
  if (!all.some(({ model }) => model === name)) await platform.lake.door(name)
  const river = riverOf(platform.plans, platform.runner.graph.tasks)
  const { tables, columns, ends } = lineageAround(all, river, name)
  return {
    table: name,
    tables: tables.map(({ pipeline, problem, ...table }) => ({
      ...table,
      pipeline: pipeline ?? null,
      problem: problem ?? null,
    })),
    ...{ columns, ends },
  }
}

async function partitionsView({ lake }: Platform, exchange: HttpExchange) {
  const state = await lake.state(exchange.params.name!)
  const { columns, partitions } = await state.partitions()
  return {
    version: versionView(state.version),
    partition_by: state.partitionBy,
    columns,
    count: partitions.length,
    partitions: partitions
      .slice(0, queryCount(exchange, 'limit', PARTITIONS))
      .map(({ rows, ...part }) => ({ ...part, rows: rows ?? null })),
  }
}

async function changesView(platform: Platform, exchange: HttpExchange) {
  const version = (name: string) => {
    const text = queryValue(exchange, name)
    if (text !== undefined && /^\d{1,19}$/.test(text)) return BigInt(text)
    if (text === undefined && name === 'to') return undefined
    throw refusal(400, 'bad_parameter', `${name} is a version: a whole number.`)
  }
  const from = version('from')!
  const limit = queryCount(exchange, 'limit', CHANGES)
  const door = await platform.lake.door(exchange.params.name!)
  const query = await changeQuery(
    await door.changes({ from, to: version('to') ?? from }),
    platform.engine,
  )
  const asked = { tables: query.tables, timeoutMs: CHANGES_MS_MAX }
  const counts = await runQuery(platform.engine, {
    ...asked,
    sql: 'SELECT _change_type, count(*) FROM system.changes GROUP BY ALL ORDER BY ALL',
  })
  const rows = await runQuery(platform.engine, { ...asked, sql: query.sql, rowCountMax: limit })
  return {
    counts: Object.fromEntries(counts.rows.map(([kind, count]) => [kind, Number(count)])),
    ...resultView(rows),
  }
}
