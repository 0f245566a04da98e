import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../model/errors.ts'
import { type Embedder, normalised, prefixed } from './embedder.ts'
import { EmbeddingRefusedError, EmbeddingUnavailableError } from './errors.ts'

export interface OpenAiEmbedderOptions {
  /** Up to, and without, `/embeddings`. */
  readonly url: string
  readonly model: string
  readonly apiKey: { reveal(): string } | null
  readonly timeoutMs?: number
}

/** Services refuse more inputs at once than some thousand; this many texts of a hundred words are one comfortable request. */
const TEXTS_PER_REQUEST = 64
const ATTEMPT_COUNT_MAX = 5
const WAIT_MS_MAX = 30_000
const DEFAULT_TIMEOUT_MS = 60_000

/**
 * Any endpoint that speaks OpenAI's `/embeddings` (https://platform.openai.com/docs/api-reference/embeddings). One request is made to learn how long
 * the model's vectors are. 429 and 5xx are waited out as `Retry-After` says, a few times.
 * @throws EmbeddingUnavailableError, EmbeddingRefusedError
 */
export async function openAiEmbedder(options: OpenAiEmbedderOptions): Promise<Embedder> {
  const { model, url } = options
  const [probe] = await request(options, [prefixed(model, 'length', 'query')])
  const dimensions = probe!.length
  return {
    id: `openai/${model}/${dimensions}`,
    dimensions,
    async embed(texts, kind, signal) {
      const vectors: Float32Array[] = []
      for (let at = 0; at < texts.length; at += TEXTS_PER_REQUEST) {
        const input = texts
          .slice(at, at + TEXTS_PER_REQUEST)
          .map((text) => prefixed(model, text, kind))
        vectors.push(...(await request(options, input, signal)))
      }
      const other = vectors.find((vector) => vector.length !== dimensions)
      if (other !== undefined)
        throw new EmbeddingRefusedError(
          `${url} gave a vector of ${other.length} numbers for ${model}, and ${dimensions} before. Nothing was stored.`,
        )
      return vectors
    },
  }
}

async function request(
  { url, model, apiKey, timeoutMs = DEFAULT_TIMEOUT_MS }: OpenAiEmbedderOptions,
  input: readonly string[],
  signal?: AbortSignal,
): Promise<readonly Float32Array[]> {
  const address = `${url.replace(/\/$/, '')}/embeddings`
  const headers = {
    'content-type': 'application/json',
    ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey.reveal()}` }),
  }
  let trouble = ''
  for (let attempt = 1; attempt <= ATTEMPT_COUNT_MAX; attempt += 1) {
    const timeout = AbortSignal.timeout(timeoutMs)
    let waitMs = Math.min(500 * 2 ** attempt, WAIT_MS_MAX)
    try {
      const response = await fetch(address, {
        method: 'POST',
        headers,
        body: JSON.stringify({ model, input, encoding_format: 'float' }),
        signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
      })
      if (response.ok) return vectorsOf(await response.json(), input.length, address)
      trouble = `it answered ${response.status}`
      if (response.status !== 429 && response.status < 500)
        throw new EmbeddingRefusedError(
          `${address} did not take ${input.length} texts for the model ${model}: ${trouble}. Check the key, the model and the address.`,
        )
      const asked = Number(response.headers.get('retry-after'))
      if (asked > 0) waitMs = Math.min(asked * 1_000, WAIT_MS_MAX)
    } catch (error) {
      if (error instanceof EmbeddingRefusedError) throw error
      signal?.throwIfAborted()
      trouble = messageOf(error)
    }
    if (attempt < ATTEMPT_COUNT_MAX) await sleep(waitMs, undefined, signal ? { signal } : {})
  }
  throw new EmbeddingUnavailableError(
    `${address} did not embed ${input.length} texts in ${ATTEMPT_COUNT_MAX} attempts: ${trouble}. They are asked for again by the next run.`,
  )
}

function vectorsOf(answer: unknown, count: number, address: string): readonly Float32Array[] {
  const { data } = answer as { data?: readonly { index?: number; embedding?: number[] }[] }
  const vectors: Float32Array[] = []
  for (const [place, { index = place, embedding }] of (data ?? []).entries())
    if (Array.isArray(embedding)) vectors[index] = normalised(Float32Array.from(embedding))
  if (vectors.length !== count || vectors.includes(undefined as never))
    throw new EmbeddingRefusedError(
      `${address} was asked for ${count} embeddings and gave ${vectors.length}. Nothing was stored.`,
    )
  return vectors
}
