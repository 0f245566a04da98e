import { setTimeout as sleep } from 'node:timers/promises'
import type { Randomness } from '../../model/clock.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import {
  CatalogRefusedError,
  CatalogUnavailableError,
  TableBrokenError,
  TableMismatchError,
} from '../errors.ts'
import { pauseMs } from '../pause.ts'
import type { Catalog, CatalogCommit, CatalogEntry, CatalogOutcome } from './catalog.ts'
import { snapshotById } from './metadata.ts'
import { metadataJson, parseKeepingLongs, parseMetadata } from './metadata-json.ts'
import { brokenRequirement } from './metadata-update.ts'
import { namespaceSegment } from './rest-protocol.ts'
import { keyOfLocation, tableLocation } from './table-location.ts'

/**
 * Tables that a service knows, by Iceberg's REST catalog protocol (open-api/rest-catalog-open-api.yaml of apache/iceberg): Polaris,
 * Lakekeeper, Nessie, Glue, a running Mekong. A table is named `namespace.name`; its files are read and written by us, in a store
 * that must hold the places the service names.
 *
 * A commit whose answer was lost is sent again: its requirements let it happen once, and a table that then holds its snapshot holds
 * it. Ids of snapshots are 64 bits and are kept exactly, which no JSON client of the language's own does.
 */
export interface RestCatalogOptions {
  /** What `/v1/` follows: `https://catalog.example/api/catalog`. */
  readonly uri: string
  readonly store: ObjectStore
  readonly randomness: Randomness
  /** Sent as `Authorization: Bearer …`. Never printed. */
  readonly token?: string
  /** What the service calls the catalog that is meant, where it has several. */
  readonly warehouse?: string
  /** Default: half a minute for each request. */
  readonly timeoutMs?: number
  /** Waits between attempts. Default: the system's timer. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<void>
}

const TIMEOUT_MS = 30_000
/** Times that a request is sent while no answer comes. */
const SEND_COUNT_MAX = 4
/** Times that a commit is refused though nothing we can see speaks against it: others are faster. */
const REFUSED_COUNT_MAX = 16

export function restCatalog(options: RestCatalogOptions): Catalog {
  const client: Client = { ...options, uri: options.uri.replace(/\/+$/, ''), prefix: undefined }
  return Object.freeze({
    load: (table: string, signal?: AbortSignal) => load(client, table, signal),
    commit: (table: string, request: CatalogCommit, signal?: AbortSignal) =>
      commit(client, table, request, signal),
  })
}

interface Client extends RestCatalogOptions {
  /** What the service puts behind `/v1`; asked once. */
  prefix: Promise<string> | undefined
}

async function load(
  client: Client,
  table: string,
  signal: AbortSignal | undefined,
): Promise<CatalogEntry | undefined> {
  const answer = await asked(client, { method: 'GET', table }, signal)
  if (answer.status === 404) return undefined
  if (answer.status === 200) return entryOf(client, table, answer.text)
  throw refusal(client, `Loading ${table}`, answer)
}

async function commit(
  client: Client,
  table: string,
  request: CatalogCommit,
  signal: AbortSignal | undefined,
): Promise<CatalogOutcome> {
  let isUnsure = false
  for (let attempt = 0; attempt < REFUSED_COUNT_MAX; attempt += 1) {
    signal?.throwIfAborted()
    const sent = await sendCommit(client, table, request)
    isUnsure ||= sent.isUnsure
    if (sent.answer === undefined) return { status: 'unknown', cause: sent.cause }
    const { status, text } = sent.answer
    if (status === 200) return { status: 'committed', entry: await entryOf(client, table, text) }
    if (status !== 409 && status !== 404)
      throw refusal(client, `Committing to ${table}`, sent.answer)
    const newest = await load(client, table, signal)
    if (isUnsure && newest !== undefined && holds(newest, request))
      return { status: 'committed', entry: newest }
    const broken = brokenRequirement(newest?.metadata, request)
    if (broken !== undefined) return { status: 'conflict', ...broken }
    await pauseOf(client)(pauseMs(attempt, client.randomness), signal)
  }
  const message = `the catalog refused it ${REFUSED_COUNT_MAX} times, and nothing is known to speak against it`
  return { status: 'conflict', requirement: 'contention', message }
}

/** Whether a table holds a commit, as far as its snapshots tell. */
function holds({ metadata }: CatalogEntry, { updates }: CatalogCommit): boolean {
  const added = updates.flatMap((update) =>
    update.action === 'add-snapshot' ? [update.snapshot['snapshot-id']] : [],
  )
  return added.length > 0 && added.every((id) => snapshotById(metadata, id) !== undefined)
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** `answer` is absent when none came; `isUnsure` when an earlier request may have been carried out. */
async function sendCommit(
  client: Client,
  table: string,
  request: CatalogCommit,
): Promise<{ readonly answer?: Answer; readonly isUnsure: boolean; readonly cause?: unknown }> {
  let cause: unknown
  for (let attempt = 0; attempt < SEND_COUNT_MAX; attempt += 1) {
    if (attempt > 0) await pauseOf(client)(pauseMs(attempt, client.randomness))
    try {
      // Without the caller's signal: a request torn off halfway would be one more that nobody knows about.
      const answer = await send(client, { method: 'POST', table, body: metadataJson(request) })
      // 503 and 429 were not carried out; other 5xx may have been.
      if (answer.status < 500 && answer.status !== 429) return { answer, isUnsure: attempt > 0 }
      cause = new CatalogUnavailableError(`${client.uri} answered ${answer.status}.`)
    } catch (error) {
      cause = error
    }
  }
  return { isUnsure: true, cause }
}

interface Question {
  readonly method: 'GET' | 'POST'
  readonly table: string
  readonly body?: string
}

/** A question that may be asked again without harm. @throws CatalogUnavailableError */
async function asked(
  client: Client,
  question: Question,
  signal: AbortSignal | undefined,
): Promise<Answer> {
  let cause: unknown
  for (let attempt = 0; attempt < SEND_COUNT_MAX; attempt += 1) {
    if (attempt > 0) await pauseOf(client)(pauseMs(attempt, client.randomness), signal)
    try {
      const answer = await send(client, question, signal)
      if (answer.status < 500 && answer.status !== 429) return answer
      cause = new Error(`it answered ${answer.status}`)
    } catch (error) {
      signal?.throwIfAborted()
      if (error instanceof CatalogRefusedError || error instanceof TableMismatchError) throw error
      cause = error
    }
  }
  throw new CatalogUnavailableError(
    `The catalog ${client.uri} does not answer about ${question.table}: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
    { cause },
  )
}

async function send(client: Client, question: Question, signal?: AbortSignal): Promise<Answer> {
  client.prefix ??= prefixOf(client)
  // A service that was away at first is asked again.
  client.prefix.catch(() => {
    client.prefix = undefined
  })
  const [namespace, name] = nameParts(question.table)
  const path = `${await client.prefix}/namespaces/${namespace}/tables/${name}`
  return fetched(client, path, question, signal)
}

async function prefixOf(client: Client): Promise<string> {
  const { warehouse } = client
  const query = warehouse === undefined ? '' : `?warehouse=${encodeURIComponent(warehouse)}`
  const answer = await fetched(client, `/v1/config${query}`, { method: 'GET' })
  if (answer.status !== 200) throw refusal(client, 'Asking for its configuration', answer)
  const { defaults = {}, overrides = {} } = parseKeepingLongs(answer.text) as {
    readonly defaults?: Readonly<Record<string, string>>
    readonly overrides?: Readonly<Record<string, string>>
  }
  const prefix = overrides.prefix ?? defaults.prefix
  return prefix === undefined ? '/v1' : `/v1/${prefix}`
}

async function fetched(
  { uri, token, timeoutMs = TIMEOUT_MS }: Client,
  path: string,
  { method, body }: Pick<Question, 'method' | 'body'>,
  signal?: AbortSignal,
): Promise<Answer> {
  const limit = AbortSignal.timeout(timeoutMs)
  const response = await fetch(`${uri}${path}`, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body }),
    signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
  })
  return { status: response.status, text: await response.text() }
}

async function entryOf(client: Client, table: string, text: string): Promise<CatalogEntry> {
  const json = parseKeepingLongs(text)
  const metadataLocation = String(json['metadata-location'] ?? '')
  const bytes = new TextEncoder().encode(metadataJson(json.metadata ?? null))
  const metadata = await parseMetadata(bytes, `${table} in ${client.uri}`)
  const { store } = client
  const tableKey = keyOfLocation(tableLocation(store, '', store.rootUrl), metadata.location)
  if (tableKey === undefined)
    throw new TableBrokenError(
      `${table} is at ${metadata.location}, outside of the store ${store.rootUrl}.`,
    )
  return { metadata, metadataLocation, tableKey }
}

function refusal(client: Client, attempted: string, { status, text }: Answer): CatalogRefusedError {
  let said = ''
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } }
    said = error?.message ?? ''
  } catch {
    // Some proxy's page; the status says enough.
  }
  const advice = status === 401 || status === 403 ? ' Check the token.' : ''
  return new CatalogRefusedError(
    `${attempted}: the catalog ${client.uri} answered ${status}${said === '' ? '' : `, ${said}`}. Nothing was changed.${advice}`,
    status,
  )
}

/** As path segments. `a.b.c` is table `c` of the namespace `a.b`. @throws TableMismatchError */
function nameParts(table: string): readonly [namespace: string, name: string] {
  const dot = table.lastIndexOf('.')
  if (dot <= 0)
    throw new TableMismatchError(`Looking for the table ${JSON.stringify(table)}`, [
      'a catalog names tables with their namespace, as in bronze.events',
    ])
  return [namespaceSegment(table.slice(0, dot)), encodeURIComponent(table.slice(dot + 1))]
}

const pauseOf = ({ pause }: Client): NonNullable<RestCatalogOptions['pause']> =>
  pause ?? (async (ms, signal) => void (await sleep(ms, undefined, { signal })))
