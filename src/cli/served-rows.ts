import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { type OlapRows, rowsOfOlap } from '../flow/olap-to-sql.ts'
import { systemClock } from '../model/clock.ts'
import { messageOf } from '../model/errors.ts'
import { type Home, homeUse, type RunningPlatform } from '../orchestrator/home.ts'
import { olapOf, openSyncStores } from '../orchestrator/open-sync-stores.ts'
import { QueryRefusedError } from '../sql/duckdb/errors.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'
import type { CommandContext } from './command.ts'
import { PlatformSilentError } from './errors.ts'
import type { Project } from './project.ts'

/** The OLAP store of a home: a server is asked itself, the embedded one through whoever holds it. Nothing is opened before it is asked. */
export function reachOlap(
  context: Pick<CommandContext, 'variables' | 'signal'>,
  { settings, plans }: Project,
  { home, spillDirectory }: { readonly home: Home; readonly spillDirectory: string },
): { readonly rows: OlapRows; release(): Promise<void> } {
  const stores = openSyncStores({ home, settings, plans, clock: systemClock })
  const rows: OlapRows = async (database, table, spill) => {
    const use = homeUse(home)
    if (settings.olap !== 'embedded' || use.status === 'free' || use.status === 'absent')
      return rowsOfOlap(olapOf(stores))(database, table, spill)
    if (use.status === 'running') {
      const file = path.join(spillDirectory, `serve-${table.name}.parquet`)
      await writeFile(
        file,
        await exported(context, use.running, `SELECT * FROM serve.${table.name}`),
      )
      return `SELECT * FROM read_parquet(${quoteText(file)})`
    }
    throw new QueryRefusedError(
      `serve.${table.name} lies in an embedded store that another command holds just now. Ask again when it has ended.`,
    )
  }
  return { rows, release: () => stores.close() }
}

/** All rows of a question to a running platform, as Parquet. @throws QueryRefusedError, PlatformSilentError */
async function exported(
  { variables, signal }: Pick<CommandContext, 'variables' | 'signal'>,
  { url }: RunningPlatform,
  sql: string,
): Promise<Uint8Array> {
  const key = variables.MEKONG_API_KEY
  const authorization = key === undefined || key === '' ? {} : { authorization: `Bearer ${key}` }
  try {
    const response = await fetch(`${url}/v1/sql/export`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...authorization },
      body: JSON.stringify({ sql, format: 'parquet' }),
      signal,
    })
    if (response.ok) return await response.bytes()
    const { detail } = (await response.json()) as { detail?: string }
    throw new QueryRefusedError(`The platform at ${url} did not give the rows: ${detail}`)
  } catch (cause) {
    signal.throwIfAborted()
    if (cause instanceof QueryRefusedError) throw cause
    throw new PlatformSilentError(`The platform at ${url} did not answer: ${messageOf(cause)}.`, {
      cause,
    })
  }
}
