import { PlatformError } from './errors.ts'

/** Nothing is stored under the key. Part of the port's contract, so that every store says it alike. */
export class ObjectMissingError extends PlatformError {
  readonly code = 'OBJECT_MISSING'
  readonly retry = 'never'
  readonly key: string

  constructor(key: string, store: string) {
    super(`There is no object ${JSON.stringify(key)} in ${store}.`)
    this.key = key
  }
}

/**
 * Objects under keys, with the one thing a table format needs beyond that: a put that only one writer
 * can win. Keys are relative, `/`-separated, without `.`, `..` or a leading slash.
 */
export interface ObjectStore {
  /** The whole object. @throws ObjectMissingError */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array>

  /** Some bytes of it; `end` exclusive. Past the object's end there is nothing, so the answer may be shorter. @throws ObjectMissingError */
  getRange(
    key: string,
    range: { readonly start: number; readonly end: number },
    signal?: AbortSignal,
  ): Promise<Uint8Array>

  /** Put, replacing what is there. Durable (fsynced, or acknowledged by the service) when it returns; never half visible. */
  put(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<void>

  /**
   * Put only if nothing is there. `unknown` means the request left and no answer came: look before
   * deciding. Durable and whole when `created`, and so is the other's object when `exists`. An error
   * means that nothing was put.
   */
  putIfAbsent(key: string, bytes: Uint8Array, signal?: AbortSignal): Promise<PutIfAbsentOutcome>

  /** Move a local file in, replacing what is there; durable when it returns; the file at `path` is gone afterwards. */
  putFile(key: string, path: string, signal?: AbortSignal): Promise<void>

  head(key: string, signal?: AbortSignal): Promise<ObjectInfo | undefined>

  /**
   * Keys with `prefix`, in UTF-8 order, after `startAfter` (exclusive). With `delimiter` '/', keys below a further
   * slash are left out.
   */
  list(options: ListOptions, signal?: AbortSignal): AsyncIterable<ObjectInfo>

  /**
   * First names of the keys that have one more name at least below `prefix`, which is empty or ends with a slash: the folders right in it, each
   * once, in no particular order. A store of files may name empty ones too.
   */
  folders(prefix: string, signal?: AbortSignal): AsyncIterable<string>

  /** Removing what is not there is fine. */
  remove(key: string, signal?: AbortSignal): Promise<void>

  /** Where a reader that takes paths or URLs (DuckDB) finds the object: an absolute path, or `s3://…`. What is below a key is below its location. */
  locate(key: string): string

  /** An absolute URL of the store's root (`file:///…/`, `s3://bucket/prefix/`), for metadata that must name it. */
  readonly rootUrl: string
}

export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
  /** Another text for other bytes under the same key, where the store tells: an entity tag. Only `head` gives it. */
  readonly tag?: string
}

export interface ListOptions {
  readonly prefix: string
  readonly startAfter?: string
  readonly delimiter?: '/'
}

export type PutIfAbsentOutcome =
  | { readonly status: 'created' }
  | { readonly status: 'exists' }
  | { readonly status: 'unknown'; readonly cause: unknown }
