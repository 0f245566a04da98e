import type { ObjectStore } from '../model/object-store.ts'
import { EngineIoError } from '../sql/duckdb/errors.ts'
import type { RemoteFiles } from '../sql/duckdb/remote-files.ts'
import {
  type ObjectCache,
  type ObjectCacheOptions,
  openObjectCache,
  type WantedObject,
} from '../storage/cache/object-cache.ts'
import { throughCache } from '../storage/cache/through-cache.ts'

/** How tables on S3 are reached from here: who we are to the service, and where its objects are kept to be read. */
export interface RemoteAccess {
  readonly region?: string
  /** Of a service other than Amazon's. */
  readonly endpoint?: string
  /** Default: what Amazon's own tools would take. */
  readonly credentials?: {
    readonly accessKeyId: string
    readonly secretAccessKey: string
    readonly sessionToken?: string
  }
  readonly cache: ObjectCacheOptions
}

/**
 * Remote stores, as a compute engine reads them: it names a URL, the store that the URL is in gives the object, and the cache keeps
 * it. Nothing in here outlives the process but the cache.
 */
export interface RemoteStores extends RemoteFiles {
  /** From now on URLs below the store's root are read from it. Returns the store as writers should use it. */
  add(store: ObjectStore): ObjectStore
  close(): void
}

export function openRemoteStores(options: ObjectCacheOptions): RemoteStores {
  const cache: ObjectCache = openObjectCache(options)
  const stores: ObjectStore[] = []
  return {
    add(store) {
      if (stores.includes(store)) return throughCache(store, cache)
      stores.push(store)
      // What is deeper goes first.
      stores.sort((a, b) => b.rootUrl.length - a.rootUrl.length)
      return throughCache(store, cache)
    },
    borrow: (files, signal) =>
      cache.borrow(
        files.map(({ location, part }): WantedObject => {
          const store = stores.find(({ rootUrl }) => location.startsWith(rootUrl))
          if (store === undefined) throw unreachable(location, stores)
          return { store, key: location.slice(store.rootUrl.length), part }
        }),
        signal,
      ),
    close: () => cache.close(),
  }
}

const unreachable = (location: string, stores: readonly ObjectStore[]) =>
  new EngineIoError(
    `${location} cannot be read: it is in none of the stores that are open (${stores.map(({ rootUrl }) => rootUrl).join(', ')}). ` +
      'Nothing was run. A table whose files lie elsewhere than itself can be read where both are in one bucket.',
  )
