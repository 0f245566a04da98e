import type { ObjectStore } from '../../model/object-store.ts'
import type { ObjectCache } from './object-cache.ts'

/** A store whose new files are in the cache at once: what is written is read soon, by models and by maintenance. All else is the store's. */
export function throughCache(store: ObjectStore, cache: ObjectCache): ObjectStore {
  return {
    rootUrl: store.rootUrl,
    locate: (key) => store.locate(key),
    get: (key, signal) => store.get(key, signal),
    getRange: (key, range, signal) => store.getRange(key, range, signal),
    head: (key, signal) => store.head(key, signal),
    list: (options, signal) => store.list(options, signal),
    folders: (prefix, signal) => store.folders(prefix, signal),
    put: (key, bytes, signal) => store.put(key, bytes, signal),
    putIfAbsent: (key, bytes, signal) => store.putIfAbsent(key, bytes, signal),
    remove: (key, signal) => store.remove(key, signal),
    async putFile(key, path, signal) {
      const kept = await cache.keep(store, key, path)
      try {
        await store.putFile(key, path, signal)
      } catch (error) {
        await kept?.drop()
        throw error
      }
      await kept?.adopt()
    },
  }
}
