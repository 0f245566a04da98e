import { existsSync } from 'node:fs'
import path from 'node:path'
import type { Catalog } from '../lake/iceberg/catalog.ts'
import { openSqliteCatalog, type SqliteCatalog } from '../lake/iceberg/sqlite-catalog.ts'
import type { Clock, Randomness } from '../model/clock.ts'
import type { ObjectStore } from '../model/object-store.ts'

/** The file that knows a lake's Iceberg tables, in the lake's folder. PyIceberg's `SqlCatalog` opens it under the name `mekong`. */
export const CATALOG_FILE = 'catalog.sqlite'

/** The Iceberg tables of a lake. Made when the first of them is: looking at a lake without any leaves no file behind. */
export interface HomeCatalog extends Catalog {
  /** Names of all Iceberg tables, `layer.name`, sorted. */
  tables(): readonly string[]
  close(): void
}

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
    load: async (table, signal) => existing()?.load(table, signal),
    commit: (table, commit, signal) => open().commit(table, commit, signal),
    close: () => opened?.close(),
  }
}
