import { createReadStream } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { assert } from '../../model/errors.ts'
import {
  type ListOptions,
  type ObjectInfo,
  ObjectMissingError,
  type ObjectStore,
  type PutIfAbsentOutcome,
} from '../../model/object-store.ts'
import { StorageDeniedError } from '../errors.ts'
import { checkKey, checkPrefix } from '../object-key.ts'
import { DEFAULT_S3_STORE_CONFIG, type S3StoreConfig } from './config.ts'
import { isAbort, isMissing, s3ErrorOf, statusOf } from './errors.ts'
import { PART_BYTES_MIN, putInParts } from './put-in-parts.ts'

/**
 * Objects in a bucket.
 *
 * In: keys and bytes, or whole local files. Out: the same bytes, listings in UTF-8 order, as the service keeps them. Every request
 * stands for itself and the service has no folders, so a crash leaves an object that is whole or none. Reads, listings and
 * replacing puts are sent again by the SDK when the service does not answer; a put that only one may win is sent once, because a
 * second one could lose against the first: when no answer comes, the outcome is unknown.
 */
export interface S3Store extends ObjectStore {
  close(): void
}

const PROBE = '.mekong-probe'
/** The service may say that two conditional puts met; one of them will then win. */
const MEETING_COUNT_MAX = 5
const MEETING_PAUSE_MS = 50
const STATUS_CONFLICT = 409
const STATUS_PRECONDITION = 412
const STATUS_RANGE = 416

/**
 * Open a bucket, and see that it can be written to and heeds conditions.
 * @throws StorageDeniedError, StorageIoError
 */
export async function openS3Store(config: S3StoreConfig): Promise<S3Store> {
  const store = new BucketStore(config)
  await store.probe()
  return store
}

/** The same without looking yet: for whoever mostly reads. It is looked before the first put that only one may win. */
export function s3Store(config: S3StoreConfig): S3Store {
  return new BucketStore(config)
}

class BucketStore implements S3Store {
  readonly rootUrl: string
  readonly #bucket: string
  readonly #prefix: string
  readonly #client: S3Client
  /** Sends each request once. */
  readonly #onceClient: S3Client
  readonly #partBytes: number
  /** Under way, or done. */
  #probed: Promise<void> | undefined

  constructor(config: S3StoreConfig) {
    const { bucket, prefix, region, timeoutMs, endpoint, credentials, partBytes } = {
      ...DEFAULT_S3_STORE_CONFIG,
      ...config,
    }
    assert(partBytes >= PART_BYTES_MIN, `parts of an upload have ${PART_BYTES_MIN} bytes at least`)
    this.#bucket = bucket
    this.#partBytes = partBytes
    this.#prefix = prefix === '' ? '' : `${prefix.replace(/^\/+|\/+$/g, '')}/`
    this.rootUrl = `s3://${bucket}/${this.#prefix}`
    const options = {
      region,
      requestHandler: { requestTimeout: timeoutMs, throwOnRequestTimeout: true },
      ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
      ...(credentials === undefined ? {} : { credentials }),
    }
    this.#client = new S3Client(options)
    this.#onceClient = new S3Client({ ...options, maxAttempts: 1 })
  }

  locate(key: string): string {
    checkKey(key)
    return `${this.rootUrl}${key}`
  }

  async get(key: string, signal?: AbortSignal): Promise<Uint8Array> {
    checkKey(key)
    return this.#reading(key, async () => {
      const { Body } = await this.#client.send(new GetObjectCommand(this.#at(key)), send(signal))
      return Body!.transformToByteArray()
    })
  }

  async getRange(
    key: string,
    range: { readonly start: number; readonly end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array> {
    checkKey(key)
    return this.#reading(key, async () => {
      // A range of nothing cannot be asked for; the first byte tells whether the object is there.
      const last = Math.max(range.start, range.end - 1)
      const Range = `bytes=${range.start}-${last}`
      try {
        const { Body } = await this.#client.send(
          new GetObjectCommand({ ...this.#at(key), Range }),
          send(signal),
        )
        const bytes = await Body!.transformToByteArray()
        return bytes.subarray(0, Math.max(0, range.end - range.start))
      } catch (error) {
        if (statusOf(error) === STATUS_RANGE) return new Uint8Array(0)
        throw error
      }
    })
  }

  async head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined> {
    checkKey(key)
    try {
      const found = await this.#client.send(new HeadObjectCommand(this.#at(key)), send(signal))
      return {
        key,
        bytes: found.ContentLength ?? 0,
        modifiedMs: found.LastModified?.getTime() ?? 0,
        ...(found.ETag === undefined ? {} : { tag: found.ETag }),
      }
    } catch (error) {
      if (isMissing(error)) return undefined
      throw isAbort(error) ? error : s3ErrorOf(error, `Looking for ${this.#name(key)} failed`)
    }
  }

  async *list(options: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectInfo> {
    const { prefix, startAfter, delimiter } = options
    checkPrefix(prefix)
    for (let token: string | undefined; ; ) {
      const page = await this.#listPage(
        {
          Prefix: this.#prefix + prefix,
          ...(delimiter === undefined ? {} : { Delimiter: delimiter }),
          ...(startAfter === undefined ? {} : { StartAfter: this.#prefix + startAfter }),
          ...(token === undefined ? {} : { ContinuationToken: token }),
        },
        signal,
      )
      for (const { Key, Size, LastModified } of page.Contents ?? []) {
        const key = decoded(Key!).slice(this.#prefix.length)
        if (key === PROBE) continue
        yield { key, bytes: Size ?? 0, modifiedMs: LastModified?.getTime() ?? 0 }
      }
      token = page.NextContinuationToken
      if (page.IsTruncated !== true || token === undefined) return
    }
  }

  async *folders(prefix: string, signal?: AbortSignal): AsyncIterable<string> {
    checkPrefix(prefix)
    const Prefix = this.#prefix + prefix
    for (let token: string | undefined; ; ) {
      const page = await this.#listPage(
        { Prefix, Delimiter: '/', ...(token === undefined ? {} : { ContinuationToken: token }) },
        signal,
      )
      for (const { Prefix: found } of page.CommonPrefixes ?? [])
        yield decoded(found!).slice(Prefix.length, -1)
      token = page.NextContinuationToken
      if (page.IsTruncated !== true || token === undefined) return
    }
  }

  async put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    await this.#writing(key, async () => {
      const Body = Buffer.from(bytes)
      await this.#client.send(new PutObjectCommand({ ...this.#at(key), Body }), send(signal))
    })
  }

  async putFile(key: string, path: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    await this.#writing(key, async () => {
      const { size } = await stat(path)
      const client = this.#onceClient
      const again = <T>(work: () => Promise<T>) => this.#again(signal, work)
      if (size > this.#partBytes)
        await putInParts({
          client,
          at: this.#at(key),
          path,
          partBytes: this.#partBytes,
          again,
          signal,
        })
      // A stream cannot be sent twice, so each attempt has its own.
      else
        await again(() =>
          client.send(
            new PutObjectCommand({
              ...this.#at(key),
              Body: createReadStream(path),
              ContentLength: size,
            }),
            send(signal),
          ),
        )
      await unlink(path)
    })
  }

  async putIfAbsent(
    key: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PutIfAbsentOutcome> {
    checkKey(key)
    await this.probe()
    return this.#putOnce(key, bytes, signal)
  }

  async #putOnce(
    key: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<PutIfAbsentOutcome> {
    const Body = Buffer.from(bytes)
    const command = () => new PutObjectCommand({ ...this.#at(key), Body, IfNoneMatch: '*' })
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#onceClient.send(command(), send(signal))
        return { status: 'created' }
      } catch (error) {
        const status = statusOf(error)
        if (status === STATUS_PRECONDITION) return { status: 'exists' }
        if (status === STATUS_CONFLICT && attempt < MEETING_COUNT_MAX) {
          await sleep(MEETING_PAUSE_MS * attempt)
          continue
        }
        // Before it was sent nothing was put; afterwards an abort is one more lost answer.
        if (isAbort(error) && attempt === 1 && signal?.aborted === true) throw error
        if (status === undefined || status >= 500) return { status: 'unknown', cause: error }
        throw s3ErrorOf(error, `Writing ${this.#name(key)} failed`)
      }
    }
  }

  async remove(key: string, signal?: AbortSignal): Promise<void> {
    checkKey(key)
    await this.#writing(key, async () => {
      await this.#client.send(new DeleteObjectCommand(this.#at(key)), send(signal))
    })
  }

  close(): void {
    this.#client.destroy()
    this.#onceClient.destroy()
  }

  /** A service that forgets the condition would let two writers win the same version of a table. */
  async probe(): Promise<void> {
    this.#probed ??= this.#probe().catch((error) => {
      this.#probed = undefined
      throw error
    })
    return this.#probed
  }

  async #probe(): Promise<void> {
    await this.put(PROBE, new Uint8Array(0))
    const again = await this.#putOnce(PROBE, new Uint8Array(0))
    if (again.status === 'exists') return
    throw new StorageDeniedError(
      `${this.rootUrl} cannot hold tables: a put with If-None-Match was ${again.status} though the object is there. ` +
        'Use a service with conditional writes.',
    )
  }

  async #listPage(
    options: {
      readonly Prefix: string
      readonly Delimiter?: string
      readonly StartAfter?: string
      readonly ContinuationToken?: string
    },
    signal: AbortSignal | undefined,
  ) {
    try {
      // Encoded, because XML cannot carry every character that a key may have.
      return await this.#client.send(
        new ListObjectsV2Command({ Bucket: this.#bucket, EncodingType: 'url', ...options }),
        send(signal),
      )
    } catch (error) {
      throw isAbort(error)
        ? error
        : s3ErrorOf(error, `Listing ${options.Prefix} in ${this.rootUrl} failed`)
    }
  }

  async #again<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal?.throwIfAborted()
      try {
        return await work()
      } catch (error) {
        const status = statusOf(error)
        const mayPass = status === undefined || status >= 500 || status === 429
        if (isAbort(error) || !mayPass || attempt === MEETING_COUNT_MAX) throw error
        await sleep(MEETING_PAUSE_MS * 4 ** attempt)
      }
    }
  }

  #at = (key: string) => ({ Bucket: this.#bucket, Key: this.#prefix + key })
  #name = (key: string) => `${key} in ${this.rootUrl}`

  async #reading<T>(key: string, read: () => Promise<T>): Promise<T> {
    try {
      return await read()
    } catch (error) {
      if (isAbort(error)) throw error
      if (isMissing(error)) throw new ObjectMissingError(key, this.rootUrl)
      throw s3ErrorOf(error, `Reading ${this.#name(key)} failed`)
    }
  }

  async #writing<T>(key: string, write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      throw isAbort(error) ? error : s3ErrorOf(error, `Writing ${this.#name(key)} failed`)
    }
  }
}

const send = (signal: AbortSignal | undefined) =>
  signal === undefined ? {} : { abortSignal: signal }

/** As `EncodingType: 'url'` has it: a form's encoding. */
const decoded = (key: string) => decodeURIComponent(key.replaceAll('+', ' '))
