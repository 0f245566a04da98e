import { existsSync } from 'node:fs'
import path from 'node:path'
import { openSqliteCatalog, type SqliteCatalog } from '../lake/iceberg/sqlite-catalog.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ObjectStore } from '../model/object-store.ts'

/** The file that knows a lake's Iceberg tables, in the lake's folder. PyIceberg's `SqlCatalog` opens it under the name `mekong`. */
export const CATALOG_FILE = 'catalog.sqlite'

/** The Iceberg tables of a lake. Made when the first of them is: looking at a lake without any leaves no file behind. */
export type HomeCatalog = SqliteCatalog

export interface HomeCatalogOptions {
  /** Folder of the lake. */
  readonly folder: string
  readonly store: ObjectStore
  readonly clock: Clock
  readonly randomness: Randomness
}

/** @throws CatalogUnavailableError, from the methods, when the file cannot be opened */
export function homeCatalog({ folder, store, clock, randomness }: HomeCatalogOptions): HomeCatalog {
  const file = path.join(folder, CATALOG_FILE)
  let opened: SqliteCatalog | undefined
  const open = () => {
    opened ??= openSqliteCatalog({ path: file, store, clock, randomness })
    return opened
  }
  const existing = () => (opened === undefined && !existsSync(file) ? undefined : open())
  return {
    tables: () => existing()?.tables() ?? [],
    namespaces: () => existing()?.namespaces() ?? [],
    namespaceProperties: (namespace) => existing()?.namespaceProperties(namespace) ?? {},
    createNamespace: (namespace, properties) => open().createNamespace(namespace, properties),
    changeNamespace: (namespace, change) => open().changeNamespace(namespace, change),
    dropNamespace: (namespace) => existing()?.dropNamespace(namespace),
    register: (table, location) => open().register(table, location),
    unregister: (table) => existing()?.unregister(table) ?? false,
    rename: (table, name) => existing()?.rename(table, name) ?? false,
    load: async (table, signal) => existing()?.load(table, signal),
    commit: (table, commit, signal) => open().commit(table, commit, signal),
    close: () => opened?.close(),
  }
}
