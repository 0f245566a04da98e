import type { Stats } from 'node:fs'
import { readdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { ObjectCacheFullError } from '../errors.ts'

/** Room is made down to this share, so that it need not be made again at once. */
const ROOM_SHARE = 0.9
/** Other processes fill the folder too: after so long, or so many bytes of our own as a share of all, it is looked at again. */
const LOOK_INTERVAL_MS = 60_000
const LOOK_SHARE = 0.05

/** Looking at files in groups keeps the file threads busy without queueing everything. */
const STAT_BATCH = 64

/** The space that kept objects take. Others may fill and empty the folder at the same time; then the limit is kept all but exactly. */
export class CacheRoom {
  readonly #folder: string
  readonly #bytesMax: number
  /** As of the last look, with what has come since. */
  #bytes = 0
  /** Of files under way. */
  #comingBytes = 0
  #addedBytes = 0
  #lookedAtMs = 0
  #making: Promise<void> = Promise.resolve()

  constructor(folder: string, bytesMax: number) {
    this.#folder = folder
    this.#bytesMax = bytesMax
  }

  /** See that so many bytes more fit, for a file under way; call what it returns when the file is there, or never will be. @throws ObjectCacheFullError */
  make(bytes: number, name: string): Promise<() => void> {
    const made = this.#making.then(() => this.#make(bytes, name))
    this.#making = made.then(
      () => {},
      () => {},
    )
    return made
  }

  /** A file came that no room was made for. */
  async noticed(): Promise<void> {
    this.#lookedAtMs = 0
    const done = await this.make(0, '').catch(() => undefined)
    done?.()
  }

  async #make(bytes: number, name: string): Promise<() => void> {
    if (bytes > this.#bytesMax) throw tooLarge(name, bytes, this.#bytesMax)
    const isFresh =
      Date.now() - this.#lookedAtMs < LOOK_INTERVAL_MS &&
      this.#addedBytes < this.#bytesMax * LOOK_SHARE
    if (!isFresh || this.#bytes + this.#comingBytes + bytes > this.#bytesMax)
      await this.#look(bytes, name)
    this.#comingBytes += bytes
    return () => {
      this.#comingBytes -= bytes
      this.#bytes += bytes
      this.#addedBytes += bytes
    }
  }

  /** Oldest use goes first; what somebody reads has a second name and stays. */
  async #look(bytes: number, name: string): Promise<void> {
    const files = await this.#files()
    let total = files.reduce((sum, { found }) => sum + bytesOf(found), 0)
    const coming = this.#comingBytes + bytes
    if (total + coming > this.#bytesMax) {
      const free = files.filter(({ found }) => found.nlink === 1)
      free.sort((a, b) => a.found.mtimeMs - b.found.mtimeMs)
      for (const { file, found } of free) {
        if (total + coming <= this.#bytesMax * ROOM_SHARE) break
        await unlink(file).catch(() => {})
        total -= bytesOf(found)
      }
    }
    this.#bytes = total
    this.#addedBytes = 0
    this.#lookedAtMs = Date.now()
    if (total + coming > this.#bytesMax)
      throw allInUse(name, total + this.#comingBytes, this.#bytesMax)
  }

  async #files(): Promise<{ readonly file: string; readonly found: Stats }[]> {
    const names = await readdir(this.#folder)
    const files: { file: string; found: Stats }[] = []
    for (let start = 0; start < names.length; start += STAT_BATCH) {
      const batch = names.slice(start, start + STAT_BATCH).map(async (name) => {
        const file = path.join(this.#folder, name)
        const found = await stat(file).catch(() => undefined)
        return found === undefined ? [] : [{ file, found }]
      })
      files.push(...(await Promise.all(batch)).flat())
    }
    return files
  }
}

/** Tails are files with holes: what they take, not what they span. */
const bytesOf = ({ blocks, size }: Stats) => Math.min(size, blocks * 512)

const tooLarge = (name: string, bytes: number, bytesMax: number) =>
  new ObjectCacheFullError(
    `${name} has ${bytes} bytes, and the cache takes ${bytesMax}. Nothing was read; give the cache more (MEKONG_LAKE_CACHE_MB).`,
  )

const allInUse = (name: string, bytes: number, bytesMax: number) =>
  new ObjectCacheFullError(
    `${name} does not fit into the cache: files of ${bytes} bytes are being read, and it takes ${bytesMax}. ` +
      'Nothing was read. Ask for less at once (fewer days, a filter on the partitioning), or give the cache more (MEKONG_LAKE_CACHE_MB).',
  )
