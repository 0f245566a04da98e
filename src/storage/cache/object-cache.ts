import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, rmSync } from 'node:fs'
import { link, open, rename, rm, unlink, utimes } from 'node:fs/promises'
import path from 'node:path'
import { type ObjectInfo, ObjectMissingError, type ObjectStore } from '../../model/object-store.ts'
import { StorageIoError, storageErrorOf } from '../errors.ts'
import { syncFile } from '../sync.ts'
import { makeLeaseFolder, sweepLeases } from './leases.ts'
import { parquetTail } from './parquet-tail.ts'
import { CacheRoom } from './room.ts'

/**
 * Objects of a remote store as local files, for readers that take nothing else.
 *
 * In: stores and keys. Out: local paths, good until they are released. Below the cache's folder, `objects/` has what was fetched, each under a
 * name made from where it is from; `leases/` has a folder for each process, with a hard link for each file that is in use there.
 * Whoever makes room removes names from `objects/` alone, oldest use first, so no reader of any process loses a file under its hands,
 * and a file that has a link is not worth removing. Fetched bytes are written into the process's folder, checked for their length, and renamed in.
 * A crash leaves a folder of links and half-fetched files; the next process that opens the cache removes it. Nothing in here is needed: it may be
 * removed whole while nobody uses it.
 * Any number of processes may share a cache. Specification: decision 0019.
 */
export interface ObjectCache {
  /** Local files with the bytes of objects. @throws ObjectMissingError, ObjectCacheFullError, StorageIoError */
  borrow(wanted: readonly WantedObject[], signal?: AbortSignal): Promise<BorrowedObjects>
  /** Keep a local file that is about to become the object, if it may be kept. The file stays where it is. */
  keep(store: ObjectStore, key: string, file: string): Promise<KeptFile | undefined>
  /** Gives back everything that was borrowed. */
  close(): void
}

export interface WantedObject {
  readonly store: ObjectStore
  readonly key: string
  /** `tail`: of a Parquet file the footer alone is there, in its place; what is before it reads as zeroes. */
  readonly part: 'whole' | 'tail'
}

export interface BorrowedObjects {
  /** In the order of what was wanted. */
  readonly paths: readonly string[]
  release(): Promise<void>
}

/** A file that waits for its object to be there. */
export interface KeptFile {
  /** The object is there with these bytes. */
  adopt(): Promise<void>
  /** It is not, or nobody knows. */
  drop(): Promise<void>
}

export interface ObjectCacheOptions {
  /** Made when missing. On one file system, which must have hard links. */
  readonly folder: string
  /** Of everything that is kept. What is in use at once must fit. */
  readonly bytesMax: number
}

/** Fetches under way at once for one borrower. */
const FETCH_CONCURRENCY = 8
/** Bytes asked for at once: the memory that a fetch takes. */
const PIECE_BYTES = 8 * 1024 * 1024
/** Somebody may make room between a fetch and its use. */
const LEASE_ATTEMPT_COUNT_MAX = 5

/** @throws StorageDeniedError, StorageFullError, StorageIoError when the folder cannot be used */
export function openObjectCache(options: ObjectCacheOptions): ObjectCache {
  const folder = path.resolve(options.folder)
  try {
    for (const name of ['objects', 'leases'])
      mkdirSync(path.join(folder, name), { recursive: true })
    sweepLeases(folder)
    return new LeasingCache(folder, makeLeaseFolder(folder), options.bytesMax)
  } catch (cause) {
    throw storageErrorOf(cause, `Opening the cache in ${folder} failed`)
  }
}

class LeasingCache implements ObjectCache {
  readonly #folder: string
  readonly #leases: string
  readonly #room: CacheRoom
  readonly #fetching = new Map<string, Promise<void>>()
  #leaseCount = 0

  constructor(folder: string, leases: string, bytesMax: number) {
    this.#folder = folder
    this.#leases = leases
    this.#room = new CacheRoom(path.join(folder, 'objects'), bytesMax)
  }

  async borrow(wanted: readonly WantedObject[], signal?: AbortSignal): Promise<BorrowedObjects> {
    const paths: string[] = new Array(wanted.length)
    const release = async () => {
      await Promise.all(paths.map((file) => unlink(file).catch(() => {})))
    }
    const waiting = wanted.entries()
    const lease = async () => {
      for (const [index, object] of waiting) {
        signal?.throwIfAborted()
        paths[index] = await this.#lease(object, signal)
      }
    }
    const leased = await Promise.allSettled(Array.from({ length: FETCH_CONCURRENCY }, lease))
    const failed = leased.find(({ status }) => status === 'rejected')
    if (failed === undefined) return { paths, release }
    await release()
    throw (failed as PromiseRejectedResult).reason
  }

  async keep(store: ObjectStore, key: string, file: string): Promise<KeptFile | undefined> {
    if (!isLasting(key)) return undefined
    const kept = this.#partial()
    try {
      await link(file, kept)
    } catch {
      // Another file system: then it is fetched when it is wanted.
      return undefined
    }
    const drop = () => rm(kept, { force: true })
    return {
      drop,
      adopt: async () => {
        try {
          await syncFile(kept)
          await rename(kept, this.#object(nameOf(store, key, { part: 'whole' })))
          await this.#room.noticed()
        } catch {
          await drop()
        }
      },
    }
  }

  close(): void {
    rmSync(this.#leases, { recursive: true, force: true })
  }

  /** A link of our own to the object's file, fetched if need be. */
  async #lease(wanted: WantedObject, signal: AbortSignal | undefined): Promise<string> {
    const { store, key, part } = wanted
    const info = isLasting(key) ? undefined : await headOf(store, key, signal)
    const whole = nameOf(store, key, { part: 'whole', ...info })
    const name = part === 'whole' ? whole : nameOf(store, key, { ...info, part })
    this.#leaseCount += 1
    // The object's own name is for messages; what could be a pattern is not in it.
    const shown = path
      .basename(key)
      .replace(/[^\w.-]/g, '_')
      .slice(-150)
    const file = path.join(this.#leases, `${this.#leaseCount}-${shown}`)
    for (let attempt = 1; attempt <= LEASE_ATTEMPT_COUNT_MAX; attempt += 1) {
      if (await this.#linked(whole, file)) return file
      if (part !== 'whole' && (await this.#linked(name, file))) return file
      await this.#fetchOnce(name, wanted, info)
      signal?.throwIfAborted()
    }
    throw new StorageIoError(
      `${key} in ${store.rootUrl} was fetched ${LEASE_ATTEMPT_COUNT_MAX} times and removed from the cache each time, by processes that make room. ` +
        'Give the cache more, or run fewer at once.',
    )
  }

  async #linked(name: string, file: string): Promise<boolean> {
    try {
      await link(this.#object(name), file)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return false
      throw storageErrorOf(cause, `Using ${name} in the cache failed`)
    }
    const now = new Date()
    await utimes(file, now, now)
    return true
  }

  /** Borrowers that want the same wait for one fetch, which none of them stops. */
  async #fetchOnce(
    name: string,
    wanted: WantedObject,
    info: ObjectInfo | undefined,
  ): Promise<void> {
    const running = this.#fetching.get(name)
    if (running !== undefined) return running
    const fetching = this.#fetch(name, wanted, info).finally(() => this.#fetching.delete(name))
    this.#fetching.set(name, fetching)
    return fetching
  }

  async #fetch(
    name: string,
    { store, key, part }: WantedObject,
    known: ObjectInfo | undefined,
  ): Promise<void> {
    const info = known ?? (await headOf(store, key))
    const partial = this.#partial()
    // Of a tail next to nothing lies on the disk.
    const isHere = await this.#room.make(
      part === 'whole' ? info.bytes : 0,
      `${key} in ${store.rootUrl}`,
    )
    try {
      if (part === 'whole') {
        await fetchWhole(store, info, partial)
        // What can change must not have changed between two pieces.
        if (known !== undefined && info.bytes > PIECE_BYTES) await checkUnchanged(store, info)
      } else await writeTail(store, info, partial)
      // A power cut could leave a file of the right length with nothing in it.
      await syncFile(partial)
      await rename(partial, this.#object(name))
    } catch (cause) {
      await rm(partial, { force: true })
      throw storageErrorOf(cause, `Fetching ${key} from ${store.rootUrl} failed`)
    } finally {
      isHere()
    }
  }

  #object = (name: string) => path.join(this.#folder, 'objects', name)
  #partial = () => path.join(this.#leases, `partial-${randomUUID()}`)
}

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/

/** Names with a UUID in them are given once. Others (a checkpoint's) may come again with other bytes, when a table is made anew. */
const isLasting = (key: string) => UUID.test(path.basename(key))

/** What an object's bytes are kept under. The tag is part of it where bytes may change under a key. */
function nameOf(
  { rootUrl }: ObjectStore,
  key: string,
  { part, tag, bytes, modifiedMs }: Partial<ObjectInfo> & Pick<WantedObject, 'part'>,
): string {
  const state = bytes === undefined ? '' : [tag, bytes, modifiedMs].join()
  const hash = createHash('sha256').update([rootUrl, key, state].join('\n')).digest('hex')
  return part === 'whole' ? hash : `${hash}.${part}`
}

async function headOf(store: ObjectStore, key: string, signal?: AbortSignal): Promise<ObjectInfo> {
  const info = await store.head(key, signal)
  if (info === undefined) throw new ObjectMissingError(key, store.rootUrl)
  return info
}

async function fetchWhole(store: ObjectStore, info: ObjectInfo, file: string): Promise<void> {
  const handle = await open(file, 'wx')
  try {
    for (let start = 0; start < info.bytes; start += PIECE_BYTES) {
      const end = Math.min(start + PIECE_BYTES, info.bytes)
      await writeRange(store, info, { start, end }, handle)
    }
  } finally {
    await handle.close()
  }
}

async function writeTail(store: ObjectStore, info: ObjectInfo, file: string): Promise<void> {
  const { start, bytes } = await parquetTail(store, info)
  const handle = await open(file, 'wx')
  try {
    await handle.truncate(info.bytes)
    await handle.write(bytes, 0, bytes.length, start)
  } finally {
    await handle.close()
  }
}

async function writeRange(
  store: ObjectStore,
  { key, bytes: size }: ObjectInfo,
  range: { readonly start: number; readonly end: number },
  handle: Awaited<ReturnType<typeof open>>,
): Promise<void> {
  const bytes = await store.getRange(key, range)
  if (bytes.length !== range.end - range.start)
    throw new StorageIoError(
      `${key} in ${store.rootUrl} gave ${bytes.length} bytes at ${range.start}, and has ${size}. Nothing was kept; try again.`,
    )
  await handle.write(bytes, 0, bytes.length, range.start)
}

async function checkUnchanged(store: ObjectStore, before: ObjectInfo): Promise<void> {
  const now = await headOf(store, before.key)
  if (now.tag === before.tag && now.bytes === before.bytes) return
  throw new StorageIoError(
    `${before.key} in ${store.rootUrl} changed while it was read. Nothing was kept; try again.`,
  )
}
