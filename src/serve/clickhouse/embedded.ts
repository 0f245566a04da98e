import { mkdirSync } from 'node:fs'
import { SinkConfigError } from '../errors.ts'
import { type ClickHouseConnection, INSERT_SETTINGS, QUERY_SETTINGS } from './client.ts'
import type { ChdbConfig } from './config.ts'
import { embeddedError } from './errors.ts'

/** As much of the package `chdb` as we call. */
interface ChdbSession {
  queryAsync(sql: string, options: { format: string }): Promise<{ text(): string }>
  insert(rows: {
    table: string
    values: Buffer
    format: 'JSONEachRow'
    settings: Readonly<Record<string, string | number>>
  }): Promise<unknown>
  close(): void
}
interface ChdbPackage {
  readonly Session: new (
    folder: string,
    options: { readonly connectionArgs: readonly string[] },
  ) => ChdbSession
}

/** The package, or `undefined` where it is not installed: it weighs half a gigabyte and is optional. */
export async function loadChdb(): Promise<ChdbPackage | undefined> {
  try {
    // A name that no compiler looks up.
    const name: string = 'chdb'
    return (await import(name)) as ChdbPackage
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** ClickHouse in this process. One process opens a folder at a time, which the home's lock sees to. @throws SinkConfigError without the package */
export async function openChdb(config: ChdbConfig): Promise<ClickHouseConnection> {
  const chdb = await loadChdb()
  if (chdb === undefined)
    throw new SinkConfigError(
      'The embedded ClickHouse needs the optional package chdb, which is not installed. Run npm install --include=optional, or set CLICKHOUSE_URL.',
    )
  mkdirSync(config.folder, { recursive: true })
  const session = new chdb.Session(config.folder, {
    connectionArgs: [
      `--max_threads=${config.threads}`,
      `--max_memory_usage=${config.memoryBytesMax}`,
      ...Object.entries(QUERY_SETTINGS).map(([name, value]) => `--${name}=${value}`),
    ],
  })
  const run = async (sql: string, format: string) => {
    try {
      return (await session.queryAsync(sql, { format })).text()
    } catch (error) {
      throw embeddedError(error, 'Asking')
    }
  }
  return {
    command: async (sql) => void (await run(sql, 'Null')),
    async insert(table, lines) {
      try {
        const values = Buffer.from(lines)
        await session.insert({ table, values, format: 'JSONEachRow', settings: INSERT_SETTINGS })
      } catch (error) {
        throw embeddedError(error, `Writing to ${table} of`)
      }
    },
    async *query(sql) {
      for (const line of (await run(sql, 'JSONEachRow')).split('\n'))
        if (line !== '') yield JSON.parse(line)
    },
    close: async () => session.close(),
  }
}
