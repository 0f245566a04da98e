import type { CatalogEntry } from './catalog.ts'
import {
  done,
  failed,
  NOTHING,
  Refusal,
  type RestAnswer,
  type RestRequest,
  type RestServerOptions,
} from './rest-exchange.ts'
import { checkNamespace, namespaceOf, tableNameOf } from './rest-namespaces.ts'
import { commitOfJson, objectOfJson } from './rest-protocol.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'

// Tables of the REST catalog: listed, loaded, committed to, renamed and dropped.

export function listTables(options: RestServerOptions, namespace: string): RestAnswer {
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

/** A table as clients take it, with what they need for its files, if they are given that. */
export const loaded = (
  { storage }: RestServerOptions,
  { isGivenCredentials }: RestRequest,
  { metadata, metadataLocation }: Pick<CatalogEntry, 'metadata'> & Partial<CatalogEntry>,
): RestAnswer =>
  done({
    ...(metadataLocation === undefined ? {} : { 'metadata-location': metadataLocation }),
    metadata,
    config: isGivenCredentials ? (storage?.credentials ?? {}) : {},
  })

export async function loadTable(
  options: RestServerOptions,
  request: RestRequest,
  table: string,
): Promise<RestAnswer> {
  const entry = await options.catalog.load(table)
  if (entry === undefined) throw noTable(table)
  return loaded(options, request, entry)
}

const noTable = (table: string) =>
  new Refusal(404, 'NoSuchTableException', `There is no table ${table} in this catalog.`)

export async function commitTable(
  options: RestServerOptions,
  request: RestRequest,
  table: string,
): Promise<RestAnswer> {
  const commit = commitOfJson(objectOfJson(request.body), table)
  for (const update of commit.updates)
    if (update.action === 'set-location') checkLocation(options, table, update.location)
  const outcome = await options.catalog.commit(table, commit)
  switch (outcome.status) {
    case 'committed':
      return done({
        'metadata-location': outcome.entry.metadataLocation,
        metadata: outcome.entry.metadata,
      })
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

export async function dropTable(
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

interface Identifier {
  readonly namespace: readonly string[]
  readonly name: string
}

export function renameTable(
  options: RestServerOptions,
  json: Readonly<Record<string, unknown>>,
): RestAnswer {
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

export const exists = (table: string) =>
  new Refusal(409, 'AlreadyExistsException', `The table ${table} exists already.`)

/** Tables lie where the catalog's own files do; the place as a key. */
export function checkLocation(
  { store }: RestServerOptions,
  table: string,
  location: string,
): string {
  const key = keyOfLocation(tableLocation(store, '', store.rootUrl), location)
  if (key !== undefined && key !== '') return key
  throw new Refusal(
    400,
    'BadRequestException',
    `${table} cannot be at ${location}: this catalog's tables are below ${store.rootUrl}. Leave the location out.`,
  )
}
