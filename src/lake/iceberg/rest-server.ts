import { InvariantError, PlatformError } from '../../model/errors.ts'
import { createTable, registerTable } from './rest-creation.ts'
import {
  done,
  failed,
  NOTHING,
  Refusal,
  type RestAnswer,
  type RestRequest,
  type RestServerOptions,
} from './rest-exchange.ts'
import {
  changeNamespace,
  createNamespace,
  listNamespaces,
  namespaceOf,
  oneNamespace,
  tableNameOf,
} from './rest-namespaces.ts'
import { LEVEL_SEPARATOR, objectOfJson } from './rest-protocol.ts'
import { commitTable, dropTable, listTables, loadTable, renameTable } from './rest-tables.ts'

/**
 * Iceberg's REST catalog protocol over the SQLite catalog, so that Spark, PyIceberg, Trino and others find, make and change the tables of a
 * running platform (open-api/rest-catalog-open-api.yaml of apache/iceberg).
 *
 * In: a method, a path below `/v1/`, a query, a body. Out: a status and a value that `metadataJson` writes. Data and metadata files lie in
 * the store, which clients read and write by themselves; here only pointers move, one commit at a time, if a client's
 * requirements hold. It keeps nothing: what a crash leaves is what the catalog's file says.
 */
export interface RestServer {
  /** Never throws for what a client did wrong. @throws PlatformError when the catalog or the store is away */
  answer(request: RestRequest): Promise<RestAnswer>
}

const ENDPOINTS = [
  'GET /v1/{prefix}/namespaces',
  'POST /v1/{prefix}/namespaces',
  'GET /v1/{prefix}/namespaces/{namespace}',
  'HEAD /v1/{prefix}/namespaces/{namespace}',
  'DELETE /v1/{prefix}/namespaces/{namespace}',
  'POST /v1/{prefix}/namespaces/{namespace}/properties',
  'GET /v1/{prefix}/namespaces/{namespace}/tables',
  'POST /v1/{prefix}/namespaces/{namespace}/tables',
  'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'HEAD /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'DELETE /v1/{prefix}/namespaces/{namespace}/tables/{table}',
  'POST /v1/{prefix}/namespaces/{namespace}/register',
  'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/metrics',
  'POST /v1/{prefix}/tables/rename',
]

export function restServer(options: RestServerOptions): RestServer {
  return Object.freeze({
    async answer(request: RestRequest): Promise<RestAnswer> {
      try {
        return await route(options, request)
      } catch (error) {
        if (error instanceof Refusal) return failed(error.status, error.type, error.message)
        if (error instanceof SyntaxError || error instanceof TypeError)
          return failed(400, 'BadRequestException', `The request is malformed: ${error.message}`)
        if (error instanceof InvariantError)
          return failed(400, 'BadRequestException', 'The updates do not fit the table.')
        if (error instanceof PlatformError && error.retry === 'never')
          return failed(400, 'BadRequestException', error.message)
        throw error
      }
    },
  })
}

function route(options: RestServerOptions, request: RestRequest): Promise<RestAnswer> | RestAnswer {
  const { segments, body } = request
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const json = () => objectOfJson(body)
  const [first, namespace, third, table, fifth] = segments
  if (first === 'config')
    return done({ defaults: options.storage?.defaults ?? {}, overrides: {}, endpoints: ENDPOINTS })
  if (first === 'tables' && namespace === 'rename') return renameTable(options, json())
  if (first !== 'namespaces') throw noRoute(request)
  if (namespace === undefined)
    return method === 'POST' ? createNamespace(options, json()) : listNamespaces(options, request)
  const name = namespaceOf(namespace.split(LEVEL_SEPARATOR))
  if (third === undefined) return oneNamespace(options, name, method)
  if (third === 'properties') return changeNamespace(options, name, json())
  if (third === 'register') return registerTable(options, request, name)
  if (third !== 'tables') throw noRoute(request)
  if (table === undefined)
    return method === 'POST' ? createTable(options, request, name) : listTables(options, name)
  const full = `${name}.${tableNameOf(table)}`
  // Clients report what their scans did; nobody here asks for it.
  if (fifth === 'metrics') return NOTHING
  if (fifth !== undefined) throw noRoute(request)
  if (method === 'GET') return loadTable(options, request, full)
  if (method === 'DELETE')
    return dropTable(options, full, request.query.get('purgeRequested') === 'true')
  return commitTable(options, request, full)
}

const noRoute = ({ method, segments }: RestRequest) =>
  new Refusal(
    404,
    'NoSuchEndpointException',
    `There is no ${method} /v1/${segments.join('/')} here.`,
  )
