import { readFile, unlink } from 'node:fs/promises'
import type { Clock } from '../model/clock.ts'
import {
  type ListOptions,
  type ObjectInfo,
  ObjectMissingError,
  type ObjectStore,
  type PutIfAbsentOutcome,
} from '../model/object-store.ts'
import { compareUtf8 } from '../model/utf8-order.ts'
import { SimulatedCrashError, StorageFullError, StorageIoError } from './errors.ts'
import type { Faults, WriteStep } from './faults.ts'
import { checkKey, checkPrefix } from './object-key.ts'

/**
 * Objects in memory, for tests: what a local disk or an object service does, with the failures that they have and a
 * laptop never shows.
 *
 * A `MemoryDisk` is what survives; a store is one process's way to it. Several stores may share a disk, as
 * processes do. A write has the steps a real one has: bytes are written somewhere unseen, then get their name,
 * then the answer travels. Faults strike at a step: an error, a short write, a full disk, an answer lost after
 * the deed, or the death of the process. A dead store does nothing any more; the disk keeps what had its name.
 */

/** What survives a crash of every process. */
export interface MemoryDisk {
  readonly objects: Map<string, MemoryObject>
  /** Written and never named: garbage that no listing shows. */
  readonly unnamed: Map<number, Uint8Array>
}

export interface MemoryObject {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
}

export function memoryDisk(): MemoryDisk {
  return { objects: new Map(), unnamed: new Map() }
}

export interface MemoryStoreOptions {
  readonly clock: Clock
  /** Default: a disk of its own. */
  readonly disk?: MemoryDisk
  /** Default: none. */
  readonly faults?: Faults
}

export interface MemoryStore extends ObjectStore {
  readonly disk: MemoryDisk
  /** Whether a fault has killed the process that this store stands for. */
  readonly isDead: boolean
}

export function memoryStore(options: MemoryStoreOptions): MemoryStore {
  return new Memory(options)
}

class Memory implements MemoryStore {
  readonly rootUrl = 'memory:///'
  readonly disk: MemoryDisk
  isDead = false
  readonly #clock: Clock
  readonly #faults: Faults | undefined

  constructor({ clock, disk, faults }: MemoryStoreOptions) {
    this.#clock = clock
    this.disk = disk ?? memoryDisk()
    this.#faults = faults
  }

  locate(key: string): string {
    checkKey(key)
    return this.rootUrl + key
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    return (await this.#read(key, signal)).bytes.slice()
  }

  async getRange(
    key: string,
    range: { readonly start: number; readonly end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    return (await this.#read(key, signal)).bytes.slice(
      range.start,
      Math.max(range.start, range.end),
    )
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    checkKey(key)
    await this.#step('read', key, signal)
    const found = this.disk.objects.get(key)
    return found && { key, bytes: found.bytes.length, modifiedMs: found.modifiedMs }
  }

  async *list(options: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    const { prefix, startAfter, delimiter } = options
    checkPrefix(prefix)
    await this.#step('list', prefix, signal)
    const keys = [...this.disk.objects.keys()]
      .filter((key) => key.startsWith(prefix))
      .filter((key) => startAfter === undefined || compareUtf8(key, startAfter) > 0)
      .filter((key) => delimiter === undefined || !key.includes('/', prefix.length))
      .sort(compareUtf8)
    for (const key of keys) {
      const found = this.disk.objects.get(key)
      if (found !== undefined)
        yield { key, bytes: found.bytes.length, modifiedMs: found.modifiedMs }
    }
  }

  async *folders(prefix: string, signal?: AbortSignal): AsyncIterable<string> {
    checkPrefix(prefix)
    await this.#step('list', prefix, signal)
    const names = [...this.disk.objects.keys()]
      .filter((key) => key.startsWith(prefix) && key.includes('/', prefix.length))
      .map((key) => key.slice(prefix.length, key.indexOf('/', prefix.length)))
    yield* new Set(names)
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#write(key, bytes, signal, () => true)
  }

  async putFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    await this.#write(key, await readFile(path), signal, () => true)
    await unlink(path)
  }

  async putIfAbsent(
    key: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PutIfAbsentOutcome> {
    try {
      const isNew = await this.#write(key, bytes, signal, () => !this.disk.objects.has(key))
      return { status: isNew ? 'created' : 'exists' }
    } catch (cause) {
      if (cause instanceof LostAnswer) return { status: 'unknown', cause }
      throw cause
    }
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    await this.#step('remove', key, signal)
    this.disk.objects.delete(key)
    await this.#step('answer', key, signal)
  }

  async #read(key: string, signal: AbortSignal | undefined): Promise<MemoryObject> {
    checkKey(key)
    await this.#step('read', key, signal)
    const found = this.disk.objects.get(key)
    if (found === undefined) throw new ObjectMissingError(key, 'the store in memory')
    return found
  }

  /** @returns whether the object got its name. */
  async #write(
    key: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
    mayName: () => boolean,
  ): Promise<boolean> {
    checkKey(key)
    const ticket = this.disk.unnamed.size === 0 ? 0 : Math.max(...this.disk.unnamed.keys()) + 1
    const written = bytes.slice()
    this.disk.unnamed.set(ticket, written.subarray(0, written.length >> 1))
    await this.#step('write', key, signal)
    this.disk.unnamed.set(ticket, written)
    await this.#step('name', key, signal)
    const isNamed = mayName()
    if (isNamed) this.disk.objects.set(key, { bytes: written, modifiedMs: this.#clock.nowMs() })
    this.disk.unnamed.delete(ticket)
    await this.#step('answer', key, signal)
    return isNamed
  }

  /** One step of an operation: time passes, others get a turn, and a fault may strike. */
  async #step(step: WriteStep, key: string, signal: AbortSignal | undefined): Promise<void> {
    this.#checkAlive(key)
    signal?.throwIfAborted()
    await this.#faults?.pause?.()
    this.#checkAlive(key)
    const fault = this.#faults?.strike({ step, key })
    if (fault === undefined) return
    switch (fault) {
      case 'crash':
        this.isDead = true
        this.#checkAlive(key)
        return
      case 'full':
        if (step === 'answer') throw new LostAnswer(key)
        throw new StorageFullError(`Writing ${key} failed: no space is left (a test's fault).`)
      case 'io':
        if (step === 'answer') throw new LostAnswer(key)
        throw new StorageIoError(`${step} of ${key} failed (a test's fault).`)
    }
  }

  #checkAlive(key: string): void {
    if (this.isDead)
      throw new SimulatedCrashError(`The process was killed; nothing happens to ${key} any more.`)
  }
}

/** The deed was done and the answer did not arrive. */
class LostAnswer extends StorageIoError {
  constructor(key: string) {
    super(`The answer for ${key} was lost (a test's fault); what it said is not known.`)
  }
}
