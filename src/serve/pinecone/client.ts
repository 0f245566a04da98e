import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../model/errors.ts'
import { SinkUnavailableError } from '../errors.ts'
import { PINECONE_API_VERSION, type PineconeConfig } from './config.ts'
import { pineconeError } from './errors.ts'

export type PineconeMetadata = Readonly<
  Record<string, string | number | boolean | readonly string[]>
>

export interface PineconeVector {
  readonly id: string
  readonly values: readonly number[]
  readonly metadata: PineconeMetadata
}

/** The calls of the data plane that we make. */
export interface PineconeIndex {
  upsert(namespace: string, vectors: readonly PineconeVector[], signal?: AbortSignal): Promise<void>
  delete(namespace: string, ids: readonly string[], signal?: AbortSignal): Promise<void>
  deleteAll(namespace: string): Promise<void>
  list(namespace: string): AsyncIterable<readonly string[]>
  fetch(namespace: string, ids: readonly string[]): Promise<readonly PineconeVector[]>
  query(
    namespace: string,
    request: {
      readonly vector: readonly number[]
      readonly topK: number
      readonly filter?: object
    },
  ): Promise<
    readonly { readonly id: string; readonly score: number; readonly metadata: PineconeMetadata }[]
  >
  /** Length of the index's vectors. */
  dimension(): Promise<number>
}

const ATTEMPT_COUNT_MAX = 4
const WAIT_MS_MAX = 20_000
/** As many as one page may have. */
const LIST_COUNT = 100

/** 429 and 5xx are waited out a few times, as `Retry-After` says or doubling. @throws SinkUnavailableError, SinkConfigError, SinkFailedError */
export function pineconeIndex({ host, apiKey, timeoutMs }: PineconeConfig): PineconeIndex {
  const ask = async <T>(
    method: 'GET' | 'POST',
    path: string,
    body?: object,
    signal?: AbortSignal,
  ): Promise<T> => {
    const timeout = AbortSignal.timeout(timeoutMs * ATTEMPT_COUNT_MAX)
    const both = signal === undefined ? timeout : AbortSignal.any([signal, timeout])
    for (let attempt = 1; ; attempt += 1) {
      let response: Response
      try {
        response = await fetch(`${host}${path}`, {
          method,
          headers: {
            'api-key': apiKey.reveal(),
            'x-pinecone-api-version': PINECONE_API_VERSION,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
          signal: both,
        })
      } catch (cause) {
        signal?.throwIfAborted()
        throw new SinkUnavailableError(`${host} did not answer: ${messageOf(cause)}.`, { cause })
      }
      if (response.ok) return (await response.json()) as T
      const again = response.status === 429 || response.status >= 500
      if (!again || attempt === ATTEMPT_COUNT_MAX)
        throw pineconeError(response.status, path.split('?')[0]!, host, await response.text())
      const asked = Number(response.headers.get('retry-after')) * 1_000
      await sleep(Math.min(asked > 0 ? asked : 250 * 2 ** attempt, WAIT_MS_MAX), undefined, {
        signal: both,
      })
    }
  }
  return {
    upsert: async (namespace, vectors, signal) =>
      void (await ask('POST', '/vectors/upsert', { vectors, namespace }, signal)),
    delete: async (namespace, ids, signal) =>
      void (await ask('POST', '/vectors/delete', { ids, namespace }, signal)),
    async deleteAll(namespace) {
      // A namespace that was never written to is not there, and need not be.
      const { namespaces = {} } = await ask<{ namespaces?: object }>(
        'POST',
        '/describe_index_stats',
        {},
      )
      if (namespace in namespaces)
        await ask('POST', '/vectors/delete', { deleteAll: true, namespace })
    },
    async *list(namespace) {
      for (let token: string | undefined = ''; token !== undefined; ) {
        const query = new URLSearchParams({ namespace, limit: String(LIST_COUNT) })
        if (token !== '') query.set('paginationToken', token)
        const page: { vectors?: { id: string }[]; pagination?: { next?: string } } = await ask(
          'GET',
          `/vectors/list?${query}`,
        )
        yield (page.vectors ?? []).map(({ id }) => id)
        token = page.pagination?.next
      }
    },
    async fetch(namespace, ids) {
      const query = new URLSearchParams([
        ...ids.map((id) => ['ids', id] as [string, string]),
        ['namespace', namespace],
      ])
      const { vectors } = await ask<{ vectors: Record<string, PineconeVector> }>(
        'GET',
        `/vectors/fetch?${query}`,
      )
      return Object.values(vectors)
    },
    async query(namespace, request) {
      const body = { ...request, namespace, includeMetadata: true }
      const { matches } = await ask<{
        matches: { id: string; score: number; metadata?: PineconeMetadata }[]
      }>('POST', '/query', body)
      return matches.map(({ metadata = {}, ...match }) => ({ ...match, metadata }))
    },
    dimension: async () =>
      (await ask<{ dimension: number }>('POST', '/describe_index_stats', {})).dimension,
  }
}
