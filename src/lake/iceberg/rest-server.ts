import { InvariantError, PlatformError } from '../../model/errors.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import type { CatalogEntry, MetadataUpdate } from './catalog.ts'
import { PARTITION_ID_START, type PartitionField, type SortField } from './metadata.ts'
import { applyUpdates } from './metadata-update.ts'
import {
  commitOfJson,
  LEVEL_SEPARATOR,
  lastFieldId,
  objectOfJson,
  withFreshIds,
} from './rest-protocol.ts'
import type { IcebergSchema } from './schema.ts'
import type { SqliteCatalog } from './sqlite-catalog.ts'
import { keyOfLocation, locationOf, tableLocation } from './table-location.ts'

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

export interface RestRequest {
  readonly method: string
  /** Decoded segments after `/v1/`. */
  readonly segments: readonly string[]
  readonly query: URLSearchParams
  readonly body: string
}

export interface RestAnswer {
  readonly status: number
  /** `undefined` for an answer without a body. Ids are bigint. */
  readonly value: unknown
}

export interface RestServerOptions {
  readonly catalog: SqliteCatalog
  readonly store: ObjectStore
  /** A UUID. */
  readonly newId: () => string
  readonly nowMs: () => number
  /** Namespaces that are there before anything is in them. Default: none. */
  readonly namespaces?: readonly string[]
}

/** What the protocol calls its errors; clients decide by these. */
class Refusal extends Error {
  readonly status: number
  readonly type: string

  constructor(status: number, type: string, message: string) {
    super(message)
    this.status = status
    this.type = type
  }
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

const failed = (status: number, type: string, message: string): RestAnswer => ({
  status,
  value: { error: { message, type, code: status } },
})

const done = (value: unknown): RestAnswer => ({ status: 200, value })
const NOTHING: RestAnswer = { status: 204, value: undefined }

function route(options: RestServerOptions, request: RestRequest): Promise<RestAnswer> | RestAnswer {
  const { segments, body } = request
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const json = () => objectOfJson(body)
  const [first, namespace, third, table, fifth] = segments
  if (first === 'config') return done({ defaults: {}, overrides: {}, endpoints: ENDPOINTS })
  if (first === 'tables' && namespace === 'rename') return rename(options, json())
  if (first !== 'namespaces') throw noRoute(request)
  if (namespace === undefined)
    return method === 'POST' ? createNamespace(options, json()) : listNamespaces(options, request)
  const name = namespaceOf(namespace.split(LEVEL_SEPARATOR))
  if (third === undefined) return oneNamespace(options, name, method)
  if (third === 'properties') return changeNamespace(options, name, json())
  if (third === 'register') return register(options, name, json())
  if (third !== 'tables') throw noRoute(request)
  if (table === undefined)
    return method === 'POST' ? createTable(options, name, json()) : listTables(options, name)
  const full = `${name}.${tableNameOf(table)}`
  // Clients report what their scans did; nobody here asks for it.
  if (fifth === 'metrics') return NOTHING
  if (fifth !== undefined) throw noRoute(request)
  if (method === 'GET') return loadTable(options, full)
  if (method === 'DELETE')
    return dropTable(options, full, request.query.get('purgeRequested') === 'true')
  return commitTable(options, full, json())
}

const noRoute = ({ method, segments }: RestRequest) =>
  new Refusal(
    404,
    'NoSuchEndpointException',
    `There is no ${method} /v1/${segments.join('/')} here.`,
  )

/** Names become folders and are joined by dots. */
function namespaceOf(levels: readonly string[]): string {
  const isPlain = levels.length > 0 && levels.every((level) => /^[^./\\\s]+$/.test(level))
  if (isPlain) return levels.join('.')
  throw new Refusal(
    400,
    'BadRequestException',
    `${JSON.stringify(levels)} cannot be a namespace: each level is a name without dots, slashes and spaces.`,
  )
}

function tableNameOf(name: unknown): string {
  if (typeof name === 'string' && /^[^./\\\s]+$/.test(name)) return name
  throw new Refusal(
    400,
    'BadRequestException',
    `${JSON.stringify(name)} cannot be a table's name: it has no dots, slashes and spaces.`,
  )
}

function knownNamespaces({ catalog, namespaces = [] }: RestServerOptions): readonly string[] {
  return [...new Set([...namespaces, ...catalog.namespaces()])].sort()
}

function checkNamespace(options: RestServerOptions, name: string): void {
  const known = knownNamespaces(options)
  if (known.some((each) => each === name || each.startsWith(`${name}.`))) return
  throw new Refusal(
    404,
    'NoSuchNamespaceException',
    `There is no namespace ${name}. There are: ${known.join(', ')}.`,
  )
}

function listNamespaces(options: RestServerOptions, { query }: RestRequest): RestAnswer {
  const asked = query.get('parent')
  const parent = asked === null || asked === '' ? [] : asked.split(LEVEL_SEPARATOR)
  if (parent.length > 0) checkNamespace(options, namespaceOf(parent))
  const children = knownNamespaces(options)
    .map((name) => name.split('.'))
    .filter(
      (levels) =>
        levels.length > parent.length && parent.every((level, index) => levels[index] === level),
    )
    .map((levels) => levels.slice(0, parent.length + 1))
  const each = new Map(children.map((levels) => [levels.join('.'), levels]))
  return done({ namespaces: [...each.values()] })
}

function createNamespace(
  options: RestServerOptions,
  json: Readonly<Record<string, unknown>>,
): RestAnswer {
  const levels = json.namespace as readonly string[]
  const name = namespaceOf(levels)
  const properties = (json.properties ?? {}) as Record<string, string>
  if (!options.catalog.createNamespace(name, properties))
    throw new Refusal(409, 'AlreadyExistsException', `The namespace ${name} exists already.`)
  return done({ namespace: levels, properties })
}

function oneNamespace(options: RestServerOptions, name: string, method: string): RestAnswer {
  checkNamespace(options, name)
  if (method === 'GET')
    return done({
      namespace: name.split('.'),
      properties: options.catalog.namespaceProperties(name),
    })
  const inside = options.catalog.tables().filter((table) => table.startsWith(`${name}.`))
  if (inside.length > 0)
    throw new Refusal(
      409,
      'NamespaceNotEmptyException',
      `The namespace ${name} still has ${inside.length} tables.`,
    )
  options.catalog.dropNamespace(name)
  return NOTHING
}

function changeNamespace(
  options: RestServerOptions,
  name: string,
  json: Readonly<Record<string, unknown>>,
): RestAnswer {
  checkNamespace(options, name)
  const updates = (json.updates ?? {}) as Record<string, string>
  const removals = (json.removals ?? []) as string[]
  const before = options.catalog.namespaceProperties(name)
  options.catalog.changeNamespace(name, { updates, removals })
  return done({
    updated: Object.keys(updates),
    removed: removals.filter((key) => key in before),
    missing: removals.filter((key) => !(key in before)),
  })
}

function listTables(options: RestServerOptions, namespace: string): RestAnswer {
  checkNamespace(options, namespace)
  const identifiers = options.catalog
    .tables()
    .filter((table) => table.slice(0, table.lastIndexOf('.')) === namespace)
    .map((table) => ({
      namespace: namespace.split('.'),
      name: table.slice(table.lastIndexOf('.') + 1),
    }))
  return done({ identifiers })
}

const loaded = ({ metadata, metadataLocation }: CatalogEntry): RestAnswer =>
  done({ 'metadata-location': metadataLocation, metadata, config: {} })

async function loadTable({ catalog }: RestServerOptions, table: string): Promise<RestAnswer> {
  const entry = await catalog.load(table)
  if (entry === undefined) throw noTable(table)
  return loaded(entry)
}

const noTable = (table: string) =>
  new Refusal(404, 'NoSuchTableException', `There is no table ${table} in this catalog.`)

async function commitTable(
  options: RestServerOptions,
  table: string,
  json: Readonly<Record<string, unknown>>,
): Promise<RestAnswer> {
  const commit = commitOfJson(json, table)
  for (const update of commit.updates)
    if (update.action === 'set-location') checkLocation(options, table, update.location)
  const outcome = await options.catalog.commit(table, commit)
  switch (outcome.status) {
    case 'committed':
      return loaded(outcome.entry)
    case 'conflict':
      if (outcome.requirement === 'assert-table-exists') throw noTable(table)
      throw new Refusal(
        409,
        'CommitFailedException',
        `Nothing was committed to ${table}: ${outcome.message} (${outcome.requirement}).`,
      )
    case 'unknown':
      return failed(
        500,
        'CommitStateUnknownException',
        `Whether the commit to ${table} took place is not known. Look before trying again.`,
      )
  }
}

async function createTable(
  options: RestServerOptions,
  namespace: string,
  json: Readonly<Record<string, unknown>>,
): Promise<RestAnswer> {
  checkNamespace(options, namespace)
  const table = `${namespace}.${tableNameOf(json.name)}`
  const updates = creationUpdates(options, table, json)
  if (json['stage-create'] === true) {
    if ((await options.catalog.load(table)) !== undefined) throw exists(table)
    const metadata = applyUpdates(undefined, updates, { nowMs: options.nowMs() })
    return done({ metadata, config: {} })
  }
  const requirements = [{ type: 'assert-create' }] as const
  const outcome = await options.catalog.commit(table, { requirements, updates })
  if (outcome.status === 'committed') return loaded(outcome.entry)
  if (outcome.status === 'conflict') throw exists(table)
  return failed(500, 'CommitStateUnknownException', `Whether ${table} was made is not known.`)
}

const exists = (table: string) =>
  new Refusal(409, 'AlreadyExistsException', `The table ${table} exists already.`)

function creationUpdates(
  options: RestServerOptions,
  table: string,
  json: Readonly<Record<string, unknown>>,
): readonly MetadataUpdate[] {
  const { schema, idOf } = withFreshIds(json.schema as IcebergSchema)
  const sourceId = (old: number) => {
    const id = idOf(old)
    if (id === undefined)
      throw new Refusal(400, 'BadRequestException', `The schema has no field with the id ${old}.`)
    return id
  }
  const asked = json['partition-spec'] as
    | { readonly fields?: readonly PartitionField[] }
    | undefined
  const spec = (asked?.fields ?? []).map((field, index) => ({
    ...field,
    'source-id': sourceId(field['source-id']),
    'field-id': PARTITION_ID_START + index,
  }))
  const order = (
    (json['write-order'] as { readonly fields?: readonly SortField[] } | null)?.fields ?? []
  ).map((field) => ({ ...field, 'source-id': sourceId(field['source-id']) }))
  const properties = { ...(json.properties as Record<string, string> | undefined) }
  const version = Number(properties['format-version'] ?? 2)
  delete properties['format-version']
  const location =
    typeof json.location === 'string'
      ? json.location.replace(/\/+$/, '')
      : locationOf(options.store, table.replaceAll('.', '/'))
  checkLocation(options, table, location)
  return [
    { action: 'assign-uuid', uuid: options.newId() },
    { action: 'upgrade-format-version', 'format-version': version },
    { action: 'set-location', location },
    { action: 'add-schema', schema, 'last-column-id': lastFieldId(schema) },
    { action: 'set-current-schema', 'schema-id': -1 },
    { action: 'add-spec', spec: { 'spec-id': 0, fields: spec } },
    { action: 'set-default-spec', 'spec-id': -1 },
    {
      action: 'add-sort-order',
      'sort-order': { 'order-id': order.length === 0 ? 0 : 1, fields: order },
    },
    { action: 'set-default-sort-order', 'sort-order-id': -1 },
    { action: 'set-properties', updates: properties },
  ]
}

function checkLocation({ store }: RestServerOptions, table: string, location: string): string {
  const key = keyOfLocation(tableLocation(store, '', store.rootUrl), location)
  if (key !== undefined && key !== '') return key
  throw new Refusal(
    400,
    'BadRequestException',
    `${table} cannot be at ${location}: this catalog's tables are below ${store.rootUrl}. Leave the location out.`,
  )
}

async function dropTable(
  { catalog, store }: RestServerOptions,
  table: string,
  purges: boolean,
): Promise<RestAnswer> {
  const entry = purges ? await catalog.load(table) : undefined
  if (!catalog.unregister(table)) throw noTable(table)
  for (const folder of entry === undefined ? [] : ['data', 'metadata'])
    for await (const { key } of store.list({ prefix: `${entry!.tableKey}/${folder}/` }))
      await store.remove(key)
  return NOTHING
}

function register(
  options: RestServerOptions,
  namespace: string,
  json: Readonly<Record<string, unknown>>,
): Promise<RestAnswer> {
  checkNamespace(options, namespace)
  const table = `${namespace}.${tableNameOf(json.name)}`
  const location = String(json['metadata-location'])
  checkLocation(options, table, location)
  if (!options.catalog.register(table, location)) throw exists(table)
  return loadTable(options, table)
}

interface Identifier {
  readonly namespace: readonly string[]
  readonly name: string
}

function rename(options: RestServerOptions, json: Readonly<Record<string, unknown>>): RestAnswer {
  const nameOf = ({ namespace, name }: Identifier) => {
    const full = namespaceOf(namespace)
    return { namespace: full, table: `${full}.${tableNameOf(name)}` }
  }
  const from = nameOf(json.source as Identifier)
  const to = nameOf(json.destination as Identifier)
  checkNamespace(options, to.namespace)
  if (!options.catalog.tables().includes(from.table)) throw noTable(from.table)
  if (!options.catalog.rename(from.table, to.table)) throw exists(to.table)
  return NOTHING
}
