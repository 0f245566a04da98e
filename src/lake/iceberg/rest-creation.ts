import type { MetadataUpdate } from './catalog.ts'
import { PARTITION_ID_START, type PartitionField, type SortField } from './metadata.ts'
import { applyUpdates } from './metadata-update.ts'
import {
  failed,
  Refusal,
  type RestAnswer,
  type RestRequest,
  type RestServerOptions,
} from './rest-exchange.ts'
import { checkNamespace, tableNameOf } from './rest-namespaces.ts'
import { lastFieldId, objectOfJson, withFreshIds } from './rest-protocol.ts'
import { checkLocation, exists, loaded, loadTable } from './rest-tables.ts'
import type { IcebergSchema } from './schema.ts'
import { locationOf } from './table-location.ts'

// How tables come into the REST catalog: made, or found where they are.

/** Make a table, or, for a client that fills it first, only say what it would be. */
export async function createTable(
  options: RestServerOptions,
  request: RestRequest,
  namespace: string,
): Promise<RestAnswer> {
  const json = objectOfJson(request.body)
  checkNamespace(options, namespace)
  const table = `${namespace}.${tableNameOf(json.name)}`
  const updates = creationUpdates(options, table, json)
  if (json['stage-create'] === true) {
    if ((await options.catalog.load(table)) !== undefined) throw exists(table)
    const metadata = applyUpdates(undefined, updates, { nowMs: options.nowMs() })
    return loaded(options, request, { metadata })
  }
  const requirements = [{ type: 'assert-create' }] as const
  const outcome = await options.catalog.commit(table, { requirements, updates })
  if (outcome.status === 'committed') return loaded(options, request, outcome.entry)
  if (outcome.status === 'conflict') throw exists(table)
  return failed(500, 'CommitStateUnknownException', `Whether ${table} was made is not known.`)
}

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

/** Make a table known that is there already, by its metadata file. */
export function registerTable(
  options: RestServerOptions,
  request: RestRequest,
  namespace: string,
): Promise<RestAnswer> {
  const json = objectOfJson(request.body)
  checkNamespace(options, namespace)
  const table = `${namespace}.${tableNameOf(json.name)}`
  const location = String(json['metadata-location'])
  checkLocation(options, table, location)
  if (!options.catalog.register(table, location)) throw exists(table)
  return loadTable(options, request, table)
}
