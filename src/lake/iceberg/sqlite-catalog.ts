import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock, Randomness } from '../../model/clock.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import { uuidV7Maker } from '../../model/uuid.ts'
import { CatalogUnavailableError, TableBrokenError, TableMismatchError } from '../errors.ts'
import { pauseMs } from '../pause.ts'
import type { Catalog, CatalogCommit, CatalogEntry, CatalogOutcome } from './catalog.ts'
import { metadataJson, parseMetadata } from './metadata-json.ts'
import { applyUpdates, brokenRequirement } from './metadata-update.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'

/**
 * Tables that are known by a row of an SQLite file, which points to their current metadata (table spec, "Metastore Tables"). A commit
 * writes new metadata under a name of its own and moves the pointer, if it still points where the commit began.
 *
 * The rows are those of Iceberg's JDBC catalog and of PyIceberg's `SqlCatalog`: both can open the same file, at the same
 * time. A table is named `namespace.name`. Durable when a commit returns; after a crash the pointer is the old or the
 * new one, and at worst a metadata file stays that nothing points to.
 */
export interface SqliteCatalog extends Catalog {
  /** Names of all tables, sorted. */
  tables(): readonly string[]
  /** Make a table known that is there already; `false` when the name is taken. */
  register(table: string, metadataLocation: string): boolean
  /** Forget a table. Its files stay. `false` when it was not known. */
  unregister(table: string): boolean
  /** Call a table otherwise; its files stay where they are. `false` when it is not there, or the name is taken. */
  rename(table: string, name: string): boolean
  /** Namespaces that were made, and those that tables are in, sorted. */
  namespaces(): readonly string[]
  /** `false` when it was made before. */
  createNamespace(namespace: string, properties: Readonly<Record<string, string>>): boolean
  namespaceProperties(namespace: string): Readonly<Record<string, string>>
  changeNamespace(
    namespace: string,
    change: {
      readonly updates: Readonly<Record<string, string>>
      readonly removals: readonly string[]
    },
  ): void
  /** Forget a namespace and its properties; tables in it keep it alive. */
  dropNamespace(namespace: string): void
  close(): void
}

export interface SqliteCatalogOptions {
  /** Absolute path; made when missing. */
  readonly path: string
  readonly store: ObjectStore
  readonly clock: Clock
  readonly randomness: Randomness
  /** Several catalogs may share a file. Default: `mekong`. */
  readonly catalogName?: string
  /** Waits between attempts. Default: the system's timer. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
}

const ATTEMPT_COUNT_MAX = 64
/** The property by which PyIceberg, too, remembers that a namespace was made. */
const EXISTS = 'exists'
const GZIP_PROPERTY = 'write.metadata.compression-codec'
const compress = promisify(gzip)
/** Tables whose metadata is kept parsed. */
const KEPT_COUNT_MAX = 64

/** @throws CatalogUnavailableError when the file cannot be opened */
export function openSqliteCatalog(options: SqliteCatalogOptions): SqliteCatalog {
  return new PointerFile(options)
}

interface TableName {
  readonly namespace: string
  readonly name: string
}

class PointerFile implements SqliteCatalog {
  readonly #options: SqliteCatalogOptions
  readonly #database: DatabaseSync
  readonly #catalogName: string
  readonly #newId: () => string
  readonly #pause: NonNullable<SqliteCatalogOptions['pause']>
  /** By metadata location; metadata files never change. */
  readonly #known = new Map<string, CatalogEntry>()

  constructor(options: SqliteCatalogOptions) {
    this.#options = options
    this.#catalogName = options.catalogName ?? 'mekong'
    this.#newId = uuidV7Maker(options.clock, options.randomness)
    this.#pause =
      options.pause ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal })))
    this.#database = guarded(`Opening the catalog ${options.path}`, () => {
      const database = new DatabaseSync(options.path)
      database.exec(`PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
        CREATE TABLE IF NOT EXISTS iceberg_tables (
          catalog_name VARCHAR(255) NOT NULL, table_namespace VARCHAR(255) NOT NULL,
          table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000),
          previous_metadata_location VARCHAR(1000), iceberg_type VARCHAR(5),
          PRIMARY KEY (catalog_name, table_namespace, table_name));
        CREATE TABLE IF NOT EXISTS iceberg_namespace_properties (
          catalog_name VARCHAR(255) NOT NULL, namespace VARCHAR(255) NOT NULL,
          property_key VARCHAR(255) NOT NULL, property_value VARCHAR(1000) NOT NULL,
          PRIMARY KEY (catalog_name, namespace, property_key))`)
      return database
    })
  }

  tables(): readonly string[] {
    const rows = this.#run('Listing tables', () =>
      this.#database
        .prepare(
          'SELECT table_namespace, table_name FROM iceberg_tables WHERE catalog_name = ? ORDER BY 1, 2',
        )
        .all(this.#catalogName),
    )
    return rows.map((row) => `${row.table_namespace}.${row.table_name}`)
  }

  async load(table: string, signal?: AbortSignal): Promise<CatalogEntry | undefined> {
    const location = this.#pointer(tableName(table))
    return location === undefined ? undefined : this.#read(table, location, signal)
  }

  async commit(
    table: string,
    request: CatalogCommit,
    signal?: AbortSignal,
  ): Promise<CatalogOutcome> {
    const { store, clock, randomness } = this.#options
    const name = tableName(table)
    for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX; attempt += 1) {
      signal?.throwIfAborted()
      const base = await this.load(table, signal)
      const broken = brokenRequirement(base?.metadata, request)
      if (broken !== undefined) return { status: 'conflict', ...broken }
      const metadata = applyUpdates(base?.metadata, request.updates, {
        nowMs: clock.nowMs(),
        previousLocation: base?.metadataLocation,
      })
      const isGzip = metadata.properties[GZIP_PROPERTY]?.toLowerCase() === 'gzip'
      const file = `metadata/${nextNumber(base)}-${this.#newId()}${isGzip ? '.gz' : ''}.metadata.json`
      const json = new TextEncoder().encode(metadataJson(metadata))
      const tableKey = base?.tableKey ?? this.#keyOf(table, metadata.location)
      await store.put(`${tableKey}/${file}`, isGzip ? await compress(json) : json, signal)
      const metadataLocation = `${metadata.location}/${file}`
      const entry: CatalogEntry = { metadata, metadataLocation, tableKey }
      const moved = this.#move(name, base?.metadataLocation, metadataLocation)
      if (moved === 'yes') {
        this.#keep(entry)
        return { status: 'committed', entry }
      }
      if (moved !== 'no') return { status: 'unknown', cause: moved.cause }
      // Best effort: what stays is an orphan, for the pointer never went there.
      await store.remove(`${tableKey}/${file}`).catch(() => {})
      await this.#pause(pauseMs(attempt, randomness), signal)
    }
    const message = `others were faster ${ATTEMPT_COUNT_MAX} times in a row`
    return { status: 'conflict', requirement: 'contention', message }
  }

  register(table: string, metadataLocation: string): boolean {
    return this.#run(`Registering ${table}`, () => this.#insert(tableName(table), metadataLocation))
  }

  unregister(table: string): boolean {
    const { namespace, name } = tableName(table)
    const { changes } = this.#run(`Forgetting ${table}`, () =>
      this.#database
        .prepare(
          'DELETE FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?',
        )
        .run(this.#catalogName, namespace, name),
    )
    return changes === 1
  }

  rename(table: string, name: string): boolean {
    const [from, to] = [tableName(table), tableName(name)]
    if (this.#pointer(to) !== undefined) return false
    const { changes } = this.#run(`Renaming ${table}`, () =>
      this.#database
        .prepare(
          `UPDATE OR IGNORE iceberg_tables SET table_namespace = ?, table_name = ?
           WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?`,
        )
        .run(to.namespace, to.name, this.#catalogName, from.namespace, from.name),
    )
    return changes === 1
  }

  namespaces(): readonly string[] {
    const rows = this.#run('Listing namespaces', () =>
      this.#database
        .prepare(
          `SELECT table_namespace AS namespace FROM iceberg_tables WHERE catalog_name = ?1
           UNION SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = ?1 ORDER BY 1`,
        )
        .all(this.#catalogName),
    )
    return rows.map((row) => String(row.namespace))
  }

  createNamespace(namespace: string, properties: Readonly<Record<string, string>>): boolean {
    const made = this.#setNamespaceProperty(namespace, EXISTS, 'true', 'IGNORE')
    if (made) this.changeNamespace(namespace, { updates: properties, removals: [] })
    return made
  }

  namespaceProperties(namespace: string): Readonly<Record<string, string>> {
    const rows = this.#run(`Reading the namespace ${namespace}`, () =>
      this.#database
        .prepare(
          'SELECT property_key AS name, property_value AS value FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?',
        )
        .all(this.#catalogName, namespace),
    )
    return Object.fromEntries(
      rows.filter(({ name }) => name !== EXISTS).map(({ name, value }) => [name, String(value)]),
    )
  }

  changeNamespace(
    namespace: string,
    {
      updates,
      removals,
    }: {
      readonly updates: Readonly<Record<string, string>>
      readonly removals: readonly string[]
    },
  ): void {
    for (const key of removals)
      this.#run(`Changing the namespace ${namespace}`, () =>
        this.#database
          .prepare(
            'DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ? AND property_key = ?',
          )
          .run(this.#catalogName, namespace, key),
      )
    for (const [key, value] of Object.entries(updates))
      this.#setNamespaceProperty(namespace, key, value, 'REPLACE')
  }

  dropNamespace(namespace: string): void {
    this.#run(`Forgetting the namespace ${namespace}`, () =>
      this.#database
        .prepare(
          'DELETE FROM iceberg_namespace_properties WHERE catalog_name = ? AND namespace = ?',
        )
        .run(this.#catalogName, namespace),
    )
  }

  close(): void {
    this.#database.close()
  }

  #setNamespaceProperty(
    namespace: string,
    key: string,
    value: string,
    otherwise: 'IGNORE' | 'REPLACE',
  ): boolean {
    const { changes } = this.#run(`Changing the namespace ${namespace}`, () =>
      this.#database
        .prepare(
          `INSERT OR ${otherwise} INTO iceberg_namespace_properties (catalog_name, namespace, property_key, property_value) VALUES (?, ?, ?, ?)`,
        )
        .run(this.#catalogName, namespace, key, value),
    )
    return changes === 1
  }

  #pointer({ namespace, name }: TableName): string | undefined {
    const row = this.#run(`Looking for ${namespace}.${name}`, () =>
      this.#database
        .prepare(
          'SELECT metadata_location FROM iceberg_tables WHERE catalog_name = ? AND table_namespace = ? AND table_name = ?',
        )
        .get(this.#catalogName, namespace, name),
    )
    return (row?.metadata_location as string | null | undefined) ?? undefined
  }

  /** Move a pointer, if it is where we think; when SQLite fails, look where it is now. */
  #move(
    name: TableName,
    from: string | undefined,
    to: string,
  ): 'yes' | 'no' | { readonly cause: unknown } {
    try {
      if (from === undefined) return this.#insert(name, to) ? 'yes' : 'no'
      const { changes } = this.#database
        .prepare(
          `UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ?
           WHERE catalog_name = ? AND table_namespace = ? AND table_name = ? AND metadata_location = ?`,
        )
        .run(to, from, this.#catalogName, name.namespace, name.name, from)
      return changes === 1 ? 'yes' : 'no'
    } catch (cause) {
      let found: string | undefined
      try {
        found = this.#pointer(name)
      } catch {
        return { cause }
      }
      if (found === to) return 'yes'
      throw unavailable(`Committing to ${name.namespace}.${name.name}`, cause)
    }
  }

  #insert({ namespace, name }: TableName, location: string): boolean {
    const { changes } = this.#database
      .prepare(
        `INSERT OR IGNORE INTO iceberg_tables (catalog_name, table_namespace, table_name, metadata_location)
         VALUES (?, ?, ?, ?)`,
      )
      .run(this.#catalogName, namespace, name, location)
    return changes === 1
  }

  async #read(
    table: string,
    metadataLocation: string,
    signal: AbortSignal | undefined,
  ): Promise<CatalogEntry> {
    const known = this.#known.get(metadataLocation)
    if (known !== undefined) return known
    const key = this.#keyOf(table, metadataLocation)
    const metadata = await parseMetadata(await this.#options.store.get(key, signal), key)
    const tableKey = this.#keyOf(table, metadata.location)
    return this.#keep({ metadata, metadataLocation, tableKey })
  }

  #keep(entry: CatalogEntry): CatalogEntry {
    this.#known.set(entry.metadataLocation, entry)
    const oldest = this.#known.keys().next()
    if (this.#known.size > KEPT_COUNT_MAX && !oldest.done) this.#known.delete(oldest.value)
    return entry
  }

  #keyOf(table: string, location: string): string {
    const { store } = this.#options
    const key = keyOfLocation(tableLocation(store, '', store.rootUrl), location)
    if (key !== undefined) return key
    throw new TableBrokenError(`${table} is at ${location}, outside of the store ${store.rootUrl}.`)
  }

  #run<T>(attempted: string, work: () => T): T {
    return guarded(`${attempted} in the catalog ${this.#options.path}`, work)
  }
}

/** `a.b.c` is table `c` of namespace `a.b`. @throws TableMismatchError when there is no namespace */
function tableName(table: string): TableName {
  const dot = table.lastIndexOf('.')
  if (dot > 0 && dot < table.length - 1)
    return { namespace: table.slice(0, dot), name: table.slice(dot + 1) }
  throw new TableMismatchError(`Looking for the table ${JSON.stringify(table)}`, [
    'a catalog names tables with their namespace, as in bronze.events',
  ])
}

/** Metadata files count on, from `00000`. */
function nextNumber(base: CatalogEntry | undefined): string {
  const last = /\/(\d+)-[^/]*$/.exec(base?.metadataLocation ?? '')?.[1]
  return String(last === undefined ? 0 : Number(last) + 1).padStart(5, '0')
}

function guarded<T>(attempted: string, work: () => T): T {
  try {
    return work()
  } catch (cause) {
    throw unavailable(attempted, cause)
  }
}

const unavailable = (attempted: string, cause: unknown) =>
  new CatalogUnavailableError(
    `${attempted} failed: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
    { cause },
  )
