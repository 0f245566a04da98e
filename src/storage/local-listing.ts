import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import type { ListOptions, ObjectInfo } from '../model/object-store.ts'
import { compareUtf8 } from '../model/utf8-order.ts'
import { storageErrorOf } from './errors.ts'
import { checkPrefix, TEMPORARY_FOLDER } from './object-key.ts'

/** How many files are looked at together; more only keeps Node's few file threads queueing. */
const STAT_BATCH = 64

/**
 * Files below `root` as objects, in UTF-8 order of their keys. Folders are read one at a time, so a listing is not a
 * snapshot: what is put or removed meanwhile may or may not show, what stands still always does.
 */
export async function* listFolder(
  root: string,
  options: ListOptions,
  signal?: AbortSignal,
): AsyncIterable<ObjectInfo> {
  checkPrefix(options.prefix)
  const folder = options.prefix.slice(0, options.prefix.lastIndexOf('/') + 1)
  yield* walk(root, folder, options, signal)
}

/** Names of the folders right below a folder of `root`. */
export async function* foldersIn(root: string, prefix: string): AsyncIterable<string> {
  checkPrefix(prefix)
  const entries = await readFolder(root, prefix)
  const names = entries
    .filter(({ isFolder }) => isFolder)
    .map(({ key }) => key.slice(prefix.length, -1))
  yield* names
}

interface Entry {
  /** Key of a file, or of a folder with a slash at its end: that slash takes part in the order. */
  readonly key: string
  readonly isFolder: boolean
}

async function* walk(
  root: string,
  folder: string,
  options: ListOptions,
  signal: AbortSignal | undefined,
): AsyncIterable<ObjectInfo> {
  const entries = (await readFolder(root, folder))
    .filter((entry) => mayMatch(entry, options))
    .sort((a, b) => compareUtf8(a.key, b.key))
  for (let start = 0; start < entries.length; start += STAT_BATCH) {
    signal?.throwIfAborted()
    const batch = entries.slice(start, start + STAT_BATCH)
    const infos = await Promise.all(batch.map((entry) => infoOf(root, entry)))
    for (const [index, info] of infos.entries()) {
      if (info === 'folder') {
        if (options.delimiter === undefined) yield* walk(root, batch[index]!.key, options, signal)
      } else if (info !== undefined) yield info
    }
  }
}

/** Whether the entry, or for a folder something in it, can be in the answer. */
function mayMatch(entry: Entry, { prefix, startAfter }: ListOptions): boolean {
  const { key, isFolder } = entry
  if (!key.startsWith(prefix) && !(isFolder && prefix.startsWith(key))) return false
  if (startAfter === undefined) return true
  return compareUtf8(key, startAfter) > 0 || (isFolder && startAfter.startsWith(key))
}

async function readFolder(root: string, folder: string): Promise<Entry[]> {
  let found: Dirent[]
  try {
    found = await readdir(path.join(root, folder), { withFileTypes: true })
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw storageErrorOf(cause, `Listing ${folder} in ${root} failed`)
  }
  return found
    .filter((entry) => entry.name !== TEMPORARY_FOLDER)
    .map((entry) => ({
      key: folder + entry.name + (entry.isDirectory() ? '/' : ''),
      isFolder: entry.isDirectory(),
    }))
}

async function infoOf(root: string, entry: Entry): Promise<ObjectInfo | 'folder' | undefined> {
  if (entry.isFolder) return 'folder'
  try {
    const found = await stat(path.join(root, entry.key))
    // A link to a file is that file. Links to folders are not followed: they can form circles.
    if (!found.isFile()) return undefined
    return { key: entry.key, bytes: found.size, modifiedMs: Math.floor(found.mtimeMs) }
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw storageErrorOf(cause, `Looking at ${entry.key} in ${root} failed`)
  }
}
