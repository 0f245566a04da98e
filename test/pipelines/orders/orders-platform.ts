import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import orders from '../../../pipelines/orders/pipeline.ts'
import { apiRoutes } from '../../../src/api/routes.ts'
import { lakeQueryTables } from '../../../src/flow/tables-to-sql.ts'
import { lockHome } from '../../../src/orchestrator/home.ts'
import { type Platform, startPlatform } from '../../../src/orchestrator/platform.ts'
import { resolveSettings } from '../../../src/orchestrator/resolve-settings.ts'
import { runQuery } from '../../../src/sql/duckdb/query.ts'

type Row = Readonly<Record<string, unknown>>

/** The orders pipeline in this process, on a home that outlives it. */
export interface OrdersPlatform {
  readonly platform: Platform
  readonly notices: readonly string[]
  post(events: readonly object[]): Promise<Row>
  /** Put reference rows in place and wait until joins see them. */
  put(reference: 'customers' | 'products', rows: readonly Row[]): Promise<void>
  /** Everything that was sent has arrived everywhere. */
  settled(): Promise<void>
  rows(sql: string): Promise<Row[]>
  stop(): Promise<void>
}

export function temporaryHome(): { readonly folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'mekong-orders-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }) }
}

export async function startOrders(
  folder: string,
  /** Instead of the embedded PostgreSQL. */
  server?: Readonly<Record<string, string>>,
): Promise<OrdersPlatform> {
  const home = lockHome(folder)
  const notices: string[] = []
  const platform = await startPlatform({
    home,
    settings: resolveSettings(
      {
        ...{ port: 0, lakeIntervalMs: 0, memoryMb: 512 },
        ...(server === undefined ? { postgresPort: 0 } : {}),
      },
      server ?? {},
    ),
    plans: [orders],
    routes: apiRoutes,
    onNotice: (line) => notices.push(line),
  })
  return {
    platform,
    notices,
    async post(events) {
      const response = await fetch(`${platform.url}/orders?results=summary`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-ndjson' },
        body: events.map((event) => JSON.stringify(event)).join('\n'),
      })
      return (await response.json()) as Row
    },
    async put(reference, rows) {
      await platform.references.put('orders', reference, rows)
      await platform.references.sync()
    },
    settled: () => platform.drained(AbortSignal.timeout(60_000)),
    async rows(sql) {
      const tables = await lakeQueryTables(platform.lake, platform.engine)
      const { columns, rows } = await runQuery(platform.engine, { sql, tables })
      return rows.map((row) =>
        Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])),
      )
    },
    async stop() {
      await platform.stop()
      home.release()
    },
  }
}
