import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Clock, Randomness } from '../../model/clock.ts'
import { retryOf } from '../../model/errors.ts'
import { ObjectMissingError, type ObjectStore } from '../../model/object-store.ts'
import { TableUnsupportedError } from '../errors.ts'
import { pauseMs } from '../pause.ts'
import type { Catalog, CatalogCommit, CatalogEntry, CatalogOutcome } from './catalog.ts'
import { type MetadataFile, parseMetadataFile, versionFile } from './metadata-file.ts'
import { metadataJson, parseMetadata } from './metadata-json.ts'
import { applyUpdates, brokenRequirement } from './metadata-update.ts'

/**
 * Tables that are known by their folder (table spec, "File System Tables"): the current metadata is the `v<N>.metadata.json` with
 * the highest number, and whoever puts the next one first has committed. The specification calls this unsafe where a
 * store cannot do that; ours must, it is what `putIfAbsent` is for. `version-hint.text` only saves looking.
 *
 * A table is named by the store's key of its folder. Tables of other catalogs can be read this way too, by their
 * highest-numbered metadata; writing to them is refused, because their catalog would not know.
 */
export interface FileCatalogDeps {
  readonly store: ObjectStore
  readonly clock: Clock
  readonly randomness: Randomness
  /** Waits between attempts. Default: the system's timer. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
}

/** Attempts on top of ever newer versions; with fair chances some writer wins each round. */
const ATTEMPT_COUNT_MAX = 64
/** Times that one version is tried while the store gives no answer. */
const UNKNOWN_COUNT_MAX = 5
const HINT = 'version-hint.text'
const GZIP_PROPERTY = 'write.metadata.compression-codec'

const compress = promisify(gzip)

/** Tables whose newest metadata is kept parsed. */
const KEPT_COUNT_MAX = 64

export function fileCatalog(deps: FileCatalogDeps): Catalog {
  const context: Context = { ...deps, known: new Map() }
  return Object.freeze({
    load: async (table: string, signal?: AbortSignal) =>
      (await loadNewest(context, table, signal))?.entry,
    commit: (table: string, request: CatalogCommit, signal?: AbortSignal) =>
      commit(context, table, request, signal),
  })
}

interface Context extends FileCatalogDeps {
  /** The newest version of each table that was seen. A version never changes; whether it is the newest is looked up. */
  readonly known: Map<string, Loaded>
}

function remember({ known }: Context, table: string, loaded: Loaded): Loaded {
  known.delete(table)
  known.set(table, loaded)
  const oldest = known.keys().next()
  if (known.size > KEPT_COUNT_MAX && !oldest.done) known.delete(oldest.value)
  return loaded
}

interface Loaded {
  readonly entry: CatalogEntry
  readonly file: MetadataFile
}

async function commit(
  deps: Context,
  table: string,
  request: CatalogCommit,
  signal: AbortSignal | undefined,
): Promise<CatalogOutcome> {
  const pause =
    deps.pause ?? (async (ms, abort) => void (await sleep(ms, undefined, { signal: abort })))
  let message = ''
  for (let attempt = 0; attempt < ATTEMPT_COUNT_MAX; attempt += 1) {
    signal?.throwIfAborted()
    const loaded = await loadNewest(deps, table, signal)
    const base = loaded?.entry.metadata
    const broken = brokenRequirement(base, request)
    if (broken !== undefined) return { status: 'conflict', ...broken }
    if (loaded !== undefined && loaded.file.version === undefined)
      throw new TableUnsupportedError(
        `${table} belongs to a catalog: its metadata is ${loaded.file.name}. A commit beside that catalog would be ` +
          'lost; nothing was written. Write to it through its catalog.',
        ['tables of another catalog'],
      )
    const metadata = applyUpdates(base, request.updates, {
      nowMs: deps.clock.nowMs(),
      previousLocation: loaded?.entry.metadataLocation,
    })
    const version = (loaded?.file.version ?? 0) + 1
    const isGzip = (base ?? metadata).properties[GZIP_PROPERTY]?.toLowerCase() === 'gzip'
    const name = versionFile(version, isGzip)
    const json = new TextEncoder().encode(metadataJson(metadata))
    const put = await putVersion(
      deps,
      `${table}/metadata/${name}`,
      isGzip ? await compress(json) : json,
      pause,
    )
    if (put.status === 'unknown') return put
    if (put.status === 'mine') {
      await writeHint(deps.store, table, version)
      const metadataLocation = `${metadata.location}/metadata/${name}`
      const entry = { metadata, metadataLocation, tableKey: table }
      remember(deps, table, { entry, file: { name, order: version, version } })
      return { status: 'committed', entry }
    }
    message = `others were faster ${attempt + 1} times in a row`
    await pause(pauseMs(attempt, deps.randomness), signal)
  }
  return { status: 'conflict', requirement: 'contention', message }
}

type PutOutcome =
  | { readonly status: 'mine' }
  | { readonly status: 'taken' }
  | { readonly status: 'unknown'; readonly cause: unknown }

/** Put one version, or find out whose it is: a version that holds exactly our bytes is ours, whatever the store said. */
async function putVersion(
  { store, randomness }: FileCatalogDeps,
  key: string,
  bytes: Uint8Array,
  pause: NonNullable<FileCatalogDeps['pause']>,
): Promise<PutOutcome> {
  let unanswered: unknown
  for (let attempt = 0; attempt < UNKNOWN_COUNT_MAX; attempt += 1) {
    if (attempt > 0) await pause(pauseMs(attempt, randomness))
    try {
      // Without the caller's signal: a put that was torn off halfway would be one more unknown.
      const put = await store.putIfAbsent(key, bytes)
      if (put.status === 'created') return { status: 'mine' }
      if (put.status === 'unknown') {
        unanswered = put.cause
        continue
      }
    } catch (error) {
      // Nothing was put this time. Only if no earlier attempt is still in the air, that is the whole truth.
      if (unanswered === undefined) throw error
      continue
    }
    try {
      const found = await store.get(key)
      return { status: Buffer.compare(found, bytes) === 0 ? 'mine' : 'taken' }
    } catch (error) {
      if (retryOf(error) === 'never' && !(error instanceof ObjectMissingError)) throw error
      unanswered ??= error
    }
  }
  return { status: 'unknown', cause: unanswered }
}

/** Best effort: a stale hint costs readers a few looks. */
async function writeHint(store: ObjectStore, table: string, version: number): Promise<void> {
  try {
    await store.put(`${table}/metadata/${HINT}`, new TextEncoder().encode(String(version)))
  } catch {
    // The commit stands, and the next one writes the hint again.
  }
}

async function loadNewest(
  context: Context,
  table: string,
  signal: AbortSignal | undefined,
): Promise<Loaded | undefined> {
  const { store, known } = context
  const file = (await fromHint(context, table, signal)) ?? (await fromListing(store, table, signal))
  if (file === undefined) return undefined
  const seen = known.get(table)
  if (seen?.file.version !== undefined && seen.file.name === file.name) return seen
  const key = `${table}/metadata/${file.name}`
  const metadata = await parseMetadata(await store.get(key, signal), key)
  const metadataLocation = `${metadata.location}/metadata/${file.name}`
  return remember(context, table, { file, entry: { metadata, metadataLocation, tableKey: table } })
}

/** The hint's version, or one of those after it; nobody else can be current, because numbers are never left out. */
async function fromHint(
  { store, known }: Context,
  table: string,
  signal: AbortSignal | undefined,
): Promise<MetadataFile | undefined> {
  let hint: string
  try {
    hint = new TextDecoder().decode(await store.get(`${table}/metadata/${HINT}`, signal)).trim()
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined
    throw error
  }
  // Some writers put a whole name there, without its ending.
  if (!/^\d+$/.test(hint)) return existing(store, table, [`${hint}.metadata.json`], signal)
  let found: MetadataFile | undefined
  // What we have seen is there, or was: a table that was dropped and made again begins below it.
  const seen = known.get(table)?.file
  if (seen?.version === Number(hint)) found = seen
  for (let version = Number(hint) + (found === undefined ? 0 : 1); ; version += 1) {
    const names = [versionFile(version, false), versionFile(version, true)]
    const next = await existing(store, table, names, signal)
    if (next === undefined) return found
    found = next
  }
}

async function existing(
  store: ObjectStore,
  table: string,
  names: readonly string[],
  signal: AbortSignal | undefined,
): Promise<MetadataFile | undefined> {
  for (const name of names) {
    const file = parseMetadataFile(name)
    if (file === undefined) continue
    if ((await store.head(`${table}/metadata/${name}`, signal)) !== undefined) return file
  }
  return undefined
}

async function fromListing(
  store: ObjectStore,
  table: string,
  signal: AbortSignal | undefined,
): Promise<MetadataFile | undefined> {
  const prefix = `${table}/metadata/`
  let newest: (MetadataFile & { readonly modifiedMs: number }) | undefined
  for await (const { key, modifiedMs } of store.list({ prefix, delimiter: '/' }, signal)) {
    const file = parseMetadataFile(key.slice(prefix.length))
    if (file === undefined) continue
    const isNewer =
      newest === undefined ||
      file.order > newest.order ||
      (file.order === newest.order && modifiedMs > newest.modifiedMs)
    if (isNewer) newest = { ...file, modifiedMs }
  }
  return newest
}
