import type { HttpExchange, HttpMethod, HttpRoute } from '../gateway/router.ts'
import { sendText } from '../gateway/send.ts'
import { metadataJson } from '../lake/iceberg/metadata-json.ts'
import { type RestServer, restServer } from '../lake/iceberg/rest-server.ts'
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
export function icebergRoutes({ iceberg }: Platform): readonly HttpRoute[] {
  const server = restServer({
    catalog: iceberg.catalog,
    store: iceberg.store,
    newId: uuidV7Maker(iceberg.clock, iceberg.randomness),
    nowMs: () => iceberg.clock.nowMs(),
    namespaces: LAYERS,
  })
  return ROUTES.map(([method, path, summary]) => ({
    method,
    path: `${ICEBERG_PATH}${path}`,
    ...accessOf(method, `${ICEBERG_PATH}${path}`),
    operation: { summary, tags: ['iceberg'], responses: { 200: { description: 'The answer.' } } },
    handle: (exchange) => handle(server, exchange),
  }))
}

async function handle(server: RestServer, exchange: HttpExchange): Promise<void> {
  const { request, response, path, queryText } = exchange
  const { status, value } = await server.answer({
    method: request.method ?? 'GET',
    segments: path
      .slice(`${ICEBERG_PATH}/v1/`.length)
      .split('/')
      .map((segment) => decodeURIComponent(segment)),
    query: new URLSearchParams(queryText),
    body: await readText(exchange),
  })
  if (value === undefined) response.writeHead(status).end()
  else sendText(response, status, 'application/json', metadataJson(value))
}
