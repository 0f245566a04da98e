import { randomUUID } from 'node:crypto'
import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
} from 'node:fs/promises'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import {
  type ObjectInfo,
  ObjectMissingError,
  type ObjectStore,
  type PutIfAbsentOutcome,
} from '../model/object-store.ts'
import { storageErrorOf } from './errors.ts'
import { foldersIn, listFolder } from './local-listing.ts'
import { checkKey, TEMPORARY_FOLDER } from './object-key.ts'
import { syncFile, syncFolder } from './sync.ts'

/**
 * Objects as files below one folder of the local disk.
 *
 * In: keys and bytes, or whole local files. Out: the same bytes, listings in UTF-8 order.
 * A write goes to a file of its own under `.mekong-tmp/`, is fsynced there, and only then gets its name: by `rename`
 * (put) or by `link` (put if absent, where the file system lets exactly one of many win). The folder that holds
 * the new name is fsynced before we answer, and so is every folder that had to be made.
 * A crash at any point leaves the old object or the new one, never a part; at worst a temporary file stays,
 * which listings do not show and the next `openLocalStore` sweeps away once it is old.
 * Any number of processes may use the same folder at once. Rename and link must be atomic: local file systems
 * and NFSv4 are, most FUSE mounts of object stores are not.
 */

/** Temporary files older than this belong to nobody: no single put takes a day. */
const TEMPORARY_AGE_MAX_MS = 24 * 60 * 60 * 1000

/** What `link` says when it has surely done nothing. After anything else (EIO, a lost NFS answer) we do not know. */
const SURELY_NOT_LINKED: ReadonlySet<string> = new Set([
  'EACCES',
  'EDQUOT',
  'EISDIR',
  'EMLINK',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOSPC',
  'ENOTDIR',
  'EPERM',
  'EROFS',
])

export interface LocalStoreOptions {
  /** The folder, made when missing. Absolute, or relative to the working directory now. */
  readonly folder: string
  /** Milliseconds since 1970; decides which temporary files are old. Default: the system's clock. */
  readonly nowMs?: () => number
}

/** Open (and make, if need be) a store in a local folder. @throws StorageDeniedError, StorageFullError, StorageIoError */
export async function openLocalStore(options: LocalStoreOptions): Promise<ObjectStore> {
  const root = path.resolve(options.folder)
  try {
    await mkdir(path.join(root, TEMPORARY_FOLDER), { recursive: true })
    await syncFolder(path.dirname(root))
    await syncFolder(root)
    await sweepTemporaries(root, (options.nowMs ?? Date.now)())
  } catch (cause) {
    throw storageErrorOf(cause, `Opening the store in ${root} failed`)
  }
  return new LocalStore(root, path.join(root, TEMPORARY_FOLDER))
}

/**
 * All files of this machine as a store, for tables that lie wherever somebody put them: keys are absolute paths without their first
 * slash. Nothing is made or looked at before something is written; what is half-written lies in `temporaryFolder`, which should be on the
 * disk that is written to, and should have the name `TEMPORARY_FOLDER`.
 */
export function openFileSystem({
  temporaryFolder,
}: {
  readonly temporaryFolder: string
}): ObjectStore {
  return new LocalStore(path.parse(path.resolve(temporaryFolder)).root, temporaryFolder)
}

class LocalStore implements ObjectStore {
  readonly rootUrl: string
  readonly #root: string
  readonly #temporaryFolder: string
  /** Folders known to exist durably, so that the usual put makes none. */
  readonly #folders = new Set<string>()

  constructor(root: string, temporaryFolder: string) {
    this.#root = root
    this.#temporaryFolder = temporaryFolder
    this.rootUrl = pathToFileURL(path.join(root, path.sep)).href
  }

  locate(key: string): string {
    checkKey(key)
    return path.join(this.#root, key)
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    const file = this.locate(key)
    try {
      return await readFile(file, { signal })
    } catch (cause) {
      throw this.#readError(key, cause)
    }
  }

  async getRange(
    key: string,
    range: { readonly start: number; readonly end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    const file = this.locate(key)
    signal?.throwIfAborted()
    let handle: FileHandle | undefined
    try {
      handle = await open(file, 'r')
      const bytes = new Uint8Array(Math.max(0, range.end - range.start))
      let filled = 0
      while (filled < bytes.length) {
        const at = range.start + filled
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, at)
        if (bytesRead === 0) break
        filled += bytesRead
      }
      return bytes.subarray(0, filled)
    } catch (cause) {
      throw this.#readError(key, cause)
    } finally {
      await handle?.close()
    }
  }

  async head(key: string): Promise<ObjectInfo | undefined> {
    const file = this.locate(key)
    try {
      const found = await stat(file)
      if (!found.isFile()) return undefined
      return { key, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
    } catch (cause) {
      if (isMissing(cause)) return undefined
      throw storageErrorOf(cause, `Looking for ${key} in ${this.#root} failed`)
    }
  }

  list(
    options: { readonly prefix: string; readonly startAfter?: string; readonly delimiter?: '/' },
    signal?: AbortSignal,
  ): AsyncIterable<ObjectInfo> {
    return listFolder(this.#root, options, signal)
  }

  folders(prefix: string): AsyncIterable<string> {
    return foldersIn(this.#root, prefix)
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    const file = this.locate(key)
    await this.#writing(key, async () => {
      const temporary = await this.#writeTemporary(bytes, signal)
      try {
        await this.#intoFolder(file, () => rename(temporary, file))
      } catch (cause) {
        await unlink(temporary).catch(() => {})
        throw cause
      }
    })
  }

  async putFile(key: string, source: string, signal?: AbortSignal): Promise<void> {
    const file = this.locate(key)
    await this.#writing(key, async () => {
      signal?.throwIfAborted()
      await syncFile(source)
      try {
        await this.#intoFolder(file, () => rename(source, file))
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== 'EXDEV') throw cause
        // Another file system: nothing moves there atomically, so copy next to the target first.
        await mkdir(this.#temporaryFolder, { recursive: true })
        const temporary = this.#temporaryPath()
        await copyFile(source, temporary, constants.COPYFILE_FICLONE)
        await syncFile(temporary)
        await this.#intoFolder(file, () => rename(temporary, file))
        await unlink(source)
      }
    })
  }

  async putIfAbsent(
    key: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PutIfAbsentOutcome> {
    const file = this.locate(key)
    return this.#writing(key, async () => {
      const temporary = await this.#writeTemporary(bytes, signal)
      let isLinked = false
      try {
        await this.#intoFolder(file, async () => {
          await link(temporary, file)
          isLinked = true
        })
        return { status: 'created' }
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
          // The winner may not have fsynced the name yet; `exists` promises that it stays.
          await syncFolder(path.dirname(file))
          return { status: 'exists' }
        }
        if (isLinked || !SURELY_NOT_LINKED.has((cause as NodeJS.ErrnoException).code ?? ''))
          return { status: 'unknown', cause }
        throw cause
      } finally {
        await unlink(temporary).catch(() => {})
      }
    })
  }

  async remove(key: string): Promise<void> {
    const file = this.locate(key)
    await this.#writing(key, async () => {
      try {
        await unlink(file)
        await syncFolder(path.dirname(file))
      } catch (cause) {
        if (!isMissing(cause)) throw cause
      }
    })
  }

  #temporaryPath(): string {
    return path.join(this.#temporaryFolder, randomUUID())
  }

  async #writeTemporary(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
    signal?.throwIfAborted()
    const temporary = this.#temporaryPath()
    try {
      const handle = await this.#openTemporary(temporary)
      try {
        await handle.writeFile(bytes)
        await handle.sync()
      } finally {
        await handle.close()
      }
      signal?.throwIfAborted()
      return temporary
    } catch (cause) {
      await unlink(temporary).catch(() => {})
      throw cause
    }
  }

  async #openTemporary(temporary: string): Promise<FileHandle> {
    try {
      return await open(temporary, 'wx')
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      await mkdir(this.#temporaryFolder, { recursive: true })
      return open(temporary, 'wx')
    }
  }

  /** Give a file its name in a folder, made if need be, and make the name durable. */
  async #intoFolder(file: string, place: () => Promise<void>): Promise<void> {
    const folder = path.dirname(file)
    await this.#ensureFolder(folder)
    try {
      await place()
    } catch (cause) {
      if (!isMissing(cause)) throw cause
      // Somebody removed a folder that we remembered. Make it again, once.
      this.#folders.clear()
      await this.#ensureFolder(folder)
      await place()
    }
    await syncFolder(folder)
  }

  /** Make a folder and those above it, each one durable in its parent. */
  async #ensureFolder(folder: string): Promise<void> {
    if (this.#folders.has(folder) || folder === this.#root) return
    await this.#ensureFolder(path.dirname(folder))
    try {
      await mkdir(folder)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
    }
    await syncFolder(path.dirname(folder))
    this.#folders.add(folder)
  }

  async #writing<T>(key: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (cause) {
      if ((cause as Error | undefined)?.name === 'AbortError') throw cause
      throw storageErrorOf(cause, `Writing ${key} in ${this.#root} failed`)
    }
  }

  #readError(key: string, cause: unknown): unknown {
    if ((cause as Error | undefined)?.name === 'AbortError') return cause
    if (isMissing(cause)) return new ObjectMissingError(key, this.#root)
    return storageErrorOf(cause, `Reading ${key} in ${this.#root} failed`)
  }
}

/** Whether there is no such file: the name is missing, a parent is a file, or it is a folder. */
function isMissing(cause: unknown): boolean {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'EISDIR'
}

async function sweepTemporaries(root: string, nowMs: number): Promise<void> {
  const folder = path.join(root, TEMPORARY_FOLDER)
  for (const name of await readdir(folder)) {
    const file = path.join(folder, name)
    const found = await stat(file).catch(() => undefined)
    if (found === undefined || nowMs - found.mtimeMs < TEMPORARY_AGE_MAX_MS) continue
    await rm(file, { force: true, recursive: true })
  }
}
