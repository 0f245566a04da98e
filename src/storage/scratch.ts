import { mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import path from 'node:path'
import { storageErrorOf } from './errors.ts'

/**
 * Local folders for files on their way into a store; fills the lake's `ScratchPort`. Put it on the store's own disk
 * (inside its `.mekong-tmp` folder is a good place), so that moving a file in is a rename.
 */
export interface LocalScratch {
  makeFolder(): Promise<{ readonly path: string } & AsyncDisposable>
}

/** Folders older than this are what a crash left: no single append takes a day. */
const FOLDER_AGE_MAX_MS = 24 * 60 * 60 * 1000

export interface LocalScratchOptions {
  /** Made when missing. What is old in it is removed. */
  readonly folder: string
  /** Milliseconds since 1970. Default: the system's clock. */
  readonly nowMs?: () => number
}

/** @throws StorageDeniedError, StorageFullError, StorageIoError */
export async function openLocalScratch(options: LocalScratchOptions): Promise<LocalScratch> {
  const root = path.resolve(options.folder)
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (cause) {
      throw storageErrorOf(cause, `Making a scratch folder in ${root} failed`)
    }
  }
  await attempt(() => mkdir(root, { recursive: true }))
  await attempt(() => sweep(root, (options.nowMs ?? Date.now)()))
  return Object.freeze({
    async makeFolder() {
      const made = await attempt(() => mkdtemp(path.join(root, 'scratch-')))
      return {
        path: made,
        [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }),
      }
    },
  })
}

async function sweep(root: string, nowMs: number): Promise<void> {
  for (const name of await readdir(root)) {
    if (!name.startsWith('scratch-')) continue
    const folder = path.join(root, name)
    const found = await stat(folder).catch(() => undefined)
    if (found === undefined || nowMs - found.mtimeMs < FOLDER_AGE_MAX_MS) continue
    await rm(folder, { recursive: true, force: true })
  }
}
