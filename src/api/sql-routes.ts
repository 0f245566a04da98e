import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import path from 'node:path'
import { pipeline as pipe } from 'node:stream/promises'
import { ask } from '../flow/ask.ts'
import { olapColumns } from '../flow/olap-to-sql.ts'
import { RUN_COLUMNS, RUN_TASK_COLUMNS } from '../flow/run-tables.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import { columnTypeText } from '../model/column.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { savedQueries } from '../orchestrator/saved-queries.ts'
import { exportQuery, type QueryResult } from '../sql/duckdb/query.ts'
import { answered, apiRoute } from './exchange.ts'
import { readJsonObject, refusal } from './read-request.ts'
import { accessOf } from './route-access.ts'

// Questions in SQL over HTTP. They read tables by name and nothing else: no files, no network, no settings; and they have a limit of rows,
// of time, and of memory (the engine's).

const ROWS = { otherwise: 1_000, max: 10_000 }
const SECONDS = { otherwise: 30, max: 300 }

const FORMATS = {
  csv: 'text/csv; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
  json: 'application/json',
} as const

const BODY = {
  type: 'object',
  required: ['sql'],
  properties: {
    sql: { type: 'string', description: 'One statement that reads, in DuckDB’s dialect.' },
    rows: { type: 'integer', description: `Most rows to answer with; default ${ROWS.otherwise}.` },
    seconds: { type: 'integer', description: `Most time to take; default ${SECONDS.otherwise}.` },
    format: { enum: Object.keys(FORMATS), description: 'For /v1/sql/export.' },
  },
}

export function sqlRoutes(platform: Platform): readonly HttpRoute[] {
  return [
    apiRoute({
      method: 'POST',
      path: '/v1/sql',
      summary: 'Ask any table a question',
      description:
        'Lake tables as `layer.name` (with `AT (VERSION => 3)` as they were), serving tables as `serve.name`, `dead_letters.<pipeline>`, `system.ledger`, `system.runs`, `system.run_tasks`. No files and no network can be reached.',
      body: BODY,
      async answer(exchange) {
        const body = await readJsonObject(exchange)
        const question = {
          sql: textOf(body, 'sql'),
          rowCountMax: countOf(body, 'rows', ROWS),
          timeoutMs: 1_000 * countOf(body, 'seconds', SECONDS),
          signal: goneSignal(exchange),
        }
        return resultView(await platform.ask(question))
      },
    }),
    {
      method: 'POST',
      path: '/v1/sql/export',
      ...accessOf('POST', '/v1/sql/export'),
      operation: {
        summary: 'All rows of a question as a file: CSV, Parquet or JSON',
        tags: ['platform'],
        requestBody: { content: { 'application/json': { schema: BODY } } },
        responses: { 200: { description: 'The file.' } },
      },
      handle: (exchange) => answered(exchange, () => exportRows(platform, exchange)),
    },
    apiRoute({
      method: 'GET',
      path: '/v1/sql/names',
      summary: 'Tables and columns that a question can name, for completion',
      answer: async () => ({ tables: await namesOf(platform) }),
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/queries',
      summary: 'Saved queries of the pipelines',
      answer: async () => ({ queries: savedQueries(platform.plans) }),
    }),
  ]
}

export function resultView({ columns, rows, truncated, elapsedMs }: QueryResult) {
  return { columns, rows, truncated, elapsed_ms: Math.round(elapsedMs * 10) / 10 }
}

async function exportRows(platform: Platform, exchange: HttpExchange): Promise<void> {
  const body = await readJsonObject(exchange)
  const format = (body.format ?? 'csv') as keyof typeof FORMATS
  if (!Object.hasOwn(FORMATS, format))
    throw refusal(400, 'bad_parameter', `format is one of ${Object.keys(FORMATS).join(', ')}.`)
  const folder = await mkdtemp(path.join(platform.engine.spillDirectory, 'export-'))
  try {
    const file = path.join(folder, `${randomUUID()}.${format}`)
    const question = {
      sql: textOf(body, 'sql'),
      timeoutMs: 1_000 * SECONDS.max,
      signal: goneSignal(exchange),
    }
    await ask(platform.askWorld, question, (engine, query) =>
      exportQuery(engine, { ...query, path: file }),
    )
    exchange.response.writeHead(200, {
      'Content-Type': FORMATS[format],
      'Content-Disposition': `attachment; filename="rows.${format}"`,
    })
    await pipe(createReadStream(file), exchange.response)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function namesOf({ lake, plans }: Platform) {
  const names = await lake.names()
  const stored = await Promise.all(
    names.map(async (name) => {
      const state = await lake.state(name).catch(() => undefined)
      return { name, columns: (state?.columns ?? []).map(nameAndType) }
    }),
  )
  const served = plans.flatMap((plan) =>
    plan.serves.map(({ target }) => ({
      name: `serve.${target.table}`,
      columns: target.columns.map(nameAndType),
    })),
  )
  const olap = plans.flatMap(({ syncs }) =>
    syncs.flatMap(({ target }) =>
      target.collections.flatMap((table) =>
        table.kind === 'rows'
          ? [{ name: `serve.${table.name}`, columns: olapColumns(table).map(nameAndType) }]
          : [],
      ),
    ),
  )
  const others = [
    { name: 'system.runs', columns: RUN_COLUMNS.map(nameAndType) },
    { name: 'system.run_tasks', columns: RUN_TASK_COLUMNS.map(nameAndType) },
    { name: 'system.ledger', columns: [] },
    ...plans.map(({ name }) => ({
      name: `dead_letters.${name.replaceAll('-', '_')}`,
      columns: [],
    })),
  ]
  return [...stored, ...served, ...olap, ...others]
}

const nameAndType = ({
  name,
  type,
}: {
  name: string
  type: Parameters<typeof columnTypeText>[0]
}) => ({
  name,
  type: columnTypeText(type),
})

/** Nobody waits for an answer any more. */
function goneSignal({ response, closing }: HttpExchange): AbortSignal {
  const gone = new AbortController()
  response.on('close', () => gone.abort())
  return AbortSignal.any([gone.signal, closing])
}

type JsonObject = Readonly<Record<string, unknown>>

function textOf(body: JsonObject, name: string): string {
  const value = body[name]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw refusal(400, 'bad_parameter', `${name} is a text that is not empty.`)
}

/** Numbers of a body are opaque, for the sake of their digits; ours are small. */
function countOf(
  body: JsonObject,
  name: string,
  { otherwise, max }: { readonly otherwise: number; readonly max: number },
): number {
  if (body[name] === undefined) return otherwise
  const value = Number(JSON.stringify(body[name]))
  if (Number.isInteger(value) && value >= 1 && value <= max) return value
  throw refusal(400, 'bad_parameter', `${name} is a whole number from 1 to ${max}.`)
}
