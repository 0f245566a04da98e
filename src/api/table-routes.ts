import type { TableDoor, TablePoint } from '../flow/table-door.ts'
import type { HttpExchange, HttpRoute } from '../gateway/router.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import { apiRoute } from './exchange.ts'
import { queryCount, queryValue, readJsonObject, refusal } from './read-request.ts'
import { resultView } from './sql-routes.ts'
import { versionView } from './views.ts'

// Looking into one table of the lake: rows as they are or were, files, and what maintenance would do.

const ROWS = { otherwise: 50, max: 1_000 }
const FILES = { otherwise: 200, max: 10_000 }

const VERSION = 'A version of the table (of an Iceberg table a snapshot id); default the newest.'

export function tableRoutes(platform: Platform): readonly HttpRoute[] {
  const { lake } = platform
  return [
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/rows',
      summary: 'Some rows of a table, as it is or was',
      query: { version: VERSION, limit: `How many; default ${ROWS.otherwise}.` },
      async answer(exchange) {
        const name = exchange.params.name!
        await lake.door(name)
        const version = versionOf(exchange)
        const past = version === undefined ? '' : ` AT (VERSION => ${version})`
        const limit = queryCount(exchange, 'limit', ROWS)
        const table = name.split('.').map(quoteIdentifier).join('.')
        return resultView(
          await platform.ask({ sql: `SELECT * FROM ${table}${past} LIMIT ${limit}` }),
        )
      },
    }),
    apiRoute({
      method: 'GET',
      path: '/v1/tables/:name/files',
      summary: 'The data files of a table',
      query: { version: VERSION, limit: `How many, largest first; default ${FILES.otherwise}.` },
      async answer(exchange) {
        const state = await lake.state(exchange.params.name!, pointOf(exchange))
        const { files } = await state.plan()
        const limit = queryCount(exchange, 'limit', FILES)
        return {
          version: versionView(state.version),
          count: files.length,
          files: [...files]
            .sort((a, b) => b.bytes - a.bytes)
            .slice(0, limit)
            .map(({ location, bytes, rowCount }) => ({
              file: location.slice(location.lastIndexOf('/') + 1),
              bytes,
              rows: rowCount ?? null,
            })),
        }
      },
    }),
    apiRoute({
      method: 'POST',
      path: '/v1/tables/:name/maintenance',
      summary: 'Put small files together, forget old versions, or remove what no version needs',
      description:
        'With `dry_run`, which is the default, nothing is changed and the answer says what would be.',
      body: MAINTENANCE_BODY,
      async answer(exchange) {
        const { action, dry_run: dryRun = true } = await readJsonObject(exchange)
        if (typeof dryRun !== 'boolean')
          throw refusal(400, 'bad_parameter', 'dry_run is true or false.')
        exchange.about(`${action}${dryRun ? ', dry run' : ''}`)
        return maintain(await lake.door(exchange.params.name!), action, dryRun)
      },
    }),
  ]
}

const ACTIONS = ['optimize', 'expire', 'vacuum']

const MAINTENANCE_BODY = {
  type: 'object',
  required: ['action'],
  properties: { action: { enum: ACTIONS }, dry_run: { type: 'boolean' } },
}

async function maintain(door: TableDoor, action: unknown, dryRun: boolean) {
  switch (action) {
    case 'optimize': {
      const { groups } = await door.optimize({ dryRun })
      return {
        ...{ action, dry_run: dryRun, groups: groups.length },
        files: groups.flatMap(({ files }) => files),
        bytes: groups.reduce((sum, { bytes }) => sum + bytes, 0),
      }
    }
    case 'expire': {
      const { files, bytes } = await door.expire({ dryRun })
      return { action, dry_run: dryRun, files, bytes }
    }
    case 'vacuum': {
      const { files, bytes } = await door.vacuum({ dryRun, allowsShortAge: false })
      return { action, dry_run: dryRun, files, bytes }
    }
    default:
      throw refusal(400, 'bad_parameter', `action is one of ${ACTIONS.join(', ')}.`)
  }
}

function versionOf(exchange: HttpExchange): bigint | undefined {
  const text = queryValue(exchange, 'version')
  if (text === undefined) return undefined
  if (/^\d{1,19}$/.test(text)) return BigInt(text)
  throw refusal(400, 'bad_parameter', 'version is a whole number.')
}

function pointOf(exchange: HttpExchange): TablePoint | undefined {
  const version = versionOf(exchange)
  return version === undefined ? undefined : { version }
}
