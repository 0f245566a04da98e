import { addressOf } from '../gateway/front.ts'
import type { HttpExchange, HttpMethod, HttpRoute } from '../gateway/router.ts'
import { sendText } from '../gateway/send.ts'
import { metadataJson } from '../lake/iceberg/metadata-json.ts'
import { type RestServer, restServer } from '../lake/iceberg/rest-server.ts'
import { may } from '../model/access.ts'
import { uuidV7Maker } from '../model/uuid.ts'
import type { Platform } from '../orchestrator/platform.ts'
import { readText } from './read-request.ts'
import { accessOf } from './route-access.ts'

/** Where Iceberg's REST catalog protocol is spoken: clients take `<url>/iceberg` for their catalog's URI. */
export const ICEBERG_PATH = '/iceberg'

const NAMESPACE = '/v1/namespaces/:namespace'
const TABLE = `${NAMESPACE}/tables/:table`
const ROUTES: readonly (readonly [method: HttpMethod, path: string, summary: string])[] = [
  ['GET', '/v1/config', 'What this catalog can do'],
  ['GET', '/v1/namespaces', 'Namespaces'],
  ['POST', '/v1/namespaces', 'Make a namespace'],
  ['GET', NAMESPACE, 'A namespace with its properties'],
  ['DELETE', NAMESPACE, 'Forget an empty namespace'],
  ['POST', `${NAMESPACE}/properties`, 'Change properties of a namespace'],
  ['GET', `${NAMESPACE}/tables`, 'Tables of a namespace'],
  ['POST', `${NAMESPACE}/tables`, 'Make a table'],
  ['POST', `${NAMESPACE}/register`, 'Make a table known that is there already'],
  ['GET', TABLE, 'A table with its metadata'],
  ['POST', TABLE, 'Commit to a table'],
  ['DELETE', TABLE, 'Forget a table'],
  ['POST', `${TABLE}/metrics`, 'Report what a scan did; it is not kept'],
  ['POST', '/v1/tables/rename', 'Call a table otherwise'],
]

/** The layers of a lake are there before their first table. */
const LAYERS = ['bronze', 'silver', 'gold']

/** The lake's Iceberg tables for Spark, PyIceberg and others. */
export function icebergRoutes({ iceberg, access }: Platform): readonly HttpRoute[] {
  const { storage } = iceberg
  const server = restServer({
    catalog: iceberg.catalog,
    store: iceberg.store,
    newId: uuidV7Maker(iceberg.clock, iceberg.randomness),
    nowMs: () => iceberg.clock.nowMs(),
    namespaces: LAYERS,
    storage,
  })
  return ROUTES.map(([method, path, summary]) => ({
    method,
    path: `${ICEBERG_PATH}${path}`,
    ...accessOf(method, `${ICEBERG_PATH}${path}`),
    operation: { summary, tags: ['iceberg'], responses: { 200: { description: 'The answer.' } } },
    async handle(exchange) {
      if (storage.credentials !== undefined && isWithCredentials(`${method} ${path}`, exchange))
        await givingCredentials(access, exchange, () => handle(server, exchange, true))
      else await handle(server, exchange, false)
    },
  }))
}

/** Routes whose answers tell what a client needs for a table's files. */
const TABLE_LOADED: ReadonlySet<string> = new Set([
  `GET ${TABLE}`,
  `POST ${NAMESPACE}/tables`,
  `POST ${NAMESPACE}/register`,
])

/**
 * Whether the client asks for credentials and may have them. They open the whole bucket for writing, which whoever may only read the
 * catalog is not given. The header lists what a client can do with; other ways than keys there are none here.
 */
function isWithCredentials(route: string, { request, identity }: HttpExchange): boolean {
  const asked = String(request.headers['x-iceberg-access-delegation'] ?? '')
  return (
    TABLE_LOADED.has(route) &&
    asked.split(',').some((way) => way.trim() === 'vended-credentials') &&
    (identity === undefined || may(identity.role, 'operate'))
  )
}

/** The audit log has it before they are given. */
async function givingCredentials(
  { audit, front }: Platform['access'],
  { request, identity, path }: HttpExchange,
  answer: () => Promise<number>,
): Promise<void> {
  const address = addressOf(front, request)
  const action = 'iceberg.give_credentials'
  const id = await audit.begin({ identity, address, action, subject: path })
  let status = 500
  try {
    status = await answer()
  } finally {
    await audit.end(id, { outcome: status < 400 ? 'done' : 'failed', status, detail: null })
  }
}

/** Returns the status that was answered. */
async function handle(
  server: RestServer,
  exchange: HttpExchange,
  isGivenCredentials: boolean,
): Promise<number> {
  const { request, response, path, queryText } = exchange
  const { status, value } = await server.answer({
    method: request.method ?? 'GET',
    segments: path
      .slice(`${ICEBERG_PATH}/v1/`.length)
      .split('/')
      .map((segment) => decodeURIComponent(segment)),
    query: new URLSearchParams(queryText),
    body: await readText(exchange),
    isGivenCredentials,
  })
  if (value === undefined) response.writeHead(status).end()
  else sendText(response, status, 'application/json', metadataJson(value))
  return status
}
