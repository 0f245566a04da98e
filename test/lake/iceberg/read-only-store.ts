import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { ObjectMissingError, type ObjectStore } from '../../../src/model/object-store.ts'

/** A folder of somebody else's as a store that cannot be written to, not even a temporary file. */
export function readOnlyStore(folder: string): ObjectStore {
  const refuse = () => Promise.reject(new Error(`${folder} is for reading`))
  const get = async (key: string) => {
    try {
      return new Uint8Array(await readFile(path.join(folder, key)))
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT')
        throw new ObjectMissingError(key, folder)
      throw cause
    }
  }
  return {
    rootUrl: pathToFileURL(`${folder}/`).href,
    locate: (key) => path.join(folder, key),
    get,
    getRange: async (key, { start, end }) => (await get(key)).subarray(start, end),
    head: async (key) => ({ key, bytes: (await get(key)).length, modifiedMs: 0 }),
    // biome-ignore lint/correctness/useYield: nothing is listed
    async *list() {
      await refuse()
    },
    // biome-ignore lint/correctness/useYield: nothing is listed
    async *folders() {
      await refuse()
    },
    put: refuse,
    putIfAbsent: refuse,
    putFile: refuse,
    remove: refuse,
  }
}
