import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { EmbeddingRefusedError } from '../../src/enrich/embedding/errors.ts'
import { openAiEmbedder } from '../../src/enrich/embedding/openai-embedder.ts'
import { transformersEmbedder } from '../../src/enrich/embedding/transformers-embedder.ts'
import { secret } from '../../src/serve/postgres/config.ts'

// The embedders beside the built-in one. What a model makes of texts is the model's; here is how it is asked, and what is taken as an answer.

interface Asked {
  readonly input: readonly string[]
  readonly model: string
  readonly key: string | undefined
}
type Answer = { readonly status?: number; readonly retryAfter?: number; readonly body?: unknown }

let server: Server | undefined
afterEach(() => server?.close())

/** An `/embeddings` endpoint: a text's vector is its length and 1; `answers` come first, in turn. */
async function endpoint(answers: readonly Answer[] = []) {
  const asked: Asked[] = []
  const pending = [...answers]
  server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { input, model } = JSON.parse(Buffer.concat(chunks).toString()) as Asked
    asked.push({ input, model, key: request.headers.authorization })
    const vectors = input.map((text, index) => ({ index, embedding: [text.length, 1] }))
    // In any order: the index says whose a vector is.
    const { status = 200, retryAfter, body = { data: vectors.reverse() } } = pending.shift() ?? {}
    response.writeHead(request.url === '/v1/embeddings' ? status : 404, {
      'content-type': 'application/json',
      ...(retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) }),
    })
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { asked, url: `http://127.0.0.1:${port}/v1` }
}

const options = (url: string, model = 'some-model') => ({ url, model, apiKey: secret('a key') })
const lengthOf = (vector: Float32Array) => Math.hypot(...vector)

describe('an OpenAI-compatible endpoint', () => {
  test('is asked in batches, and each text gets its own vector, of length 1', async () => {
    const { asked, url } = await endpoint()
    const embedder = await openAiEmbedder(options(url))
    expect(embedder).toMatchObject({ id: 'openai/some-model/2', dimensions: 2 })
    const texts = Array.from({ length: 150 }, (_, index) => 'x'.repeat(index))
    const vectors = await embedder.embed(texts, 'passage')
    expect(asked.slice(1).map(({ input }) => input.length)).toEqual([64, 64, 22])
    expect(asked.every(({ key }) => key === 'Bearer a key')).toBe(true)
    for (const [index, vector] of vectors.entries()) {
      expect(vector[0]! / vector[1]!).toBeCloseTo(index, 3)
      expect(lengthOf(vector)).toBeCloseTo(1, 5)
    }
  })

  test('tells e5 models what a text is, and no others', async () => {
    const { asked, url } = await endpoint()
    for (const model of ['intfloat/e5-large-v2', 'multilingual-e5-small', 'all-MiniLM-L6-v2']) {
      const embedder = await openAiEmbedder(options(url, model))
      await embedder.embed(['a plot'], 'passage')
      await embedder.embed(['a wish'], 'query')
    }
    const e5 = [['query: length'], ['passage: a plot'], ['query: a wish']]
    const plain = [['length'], ['a plot'], ['a wish']]
    expect(asked.map(({ input }) => input)).toEqual([...e5, ...e5, ...plain])
  })

  test('that is busy is asked again after as long as it says', async () => {
    const { asked, url } = await endpoint([{ status: 429, retryAfter: 1 }, { status: 503 }])
    const startMs = performance.now()
    const embedder = await openAiEmbedder(options(url))
    expect(embedder.dimensions).toBe(2)
    expect(asked).toHaveLength(3)
    expect(performance.now() - startMs).toBeGreaterThan(2_900)
  })

  test.each([
    ['a wrong key', { status: 401 }],
    ['fewer vectors than texts', { body: { data: [] } }],
    ['a vector of no text', { body: { data: [{ index: 1, embedding: [1, 2] }] } }],
  ])('that answers with %s is refused, and the key is not shown', async (_, answer) => {
    const { asked, url } = await endpoint([answer])
    const error = await openAiEmbedder(options(url)).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(EmbeddingRefusedError)
    expect((error as Error).message).not.toContain('a key')
    expect(asked).toHaveLength(1)
  })

  test('whose vectors change their length is refused', async () => {
    const other = { data: [{ index: 0, embedding: [1, 2, 3] }] }
    const { url } = await endpoint([{}, { body: other }])
    const embedder = await openAiEmbedder(options(url))
    await expect(embedder.embed(['x'], 'query')).rejects.toMatchObject({
      code: 'EMBEDDING_REFUSED',
      message: expect.stringContaining('3 numbers'),
    })
  })
})

test('transformers.js without its package or its model says what to do', async () => {
  await expect(transformersEmbedder('/no/such/models/e5-large-v2')).rejects.toMatchObject({
    code: 'EMBEDDING_REFUSED',
    message: expect.stringMatching(/e5-large-v2.*npm install @huggingface\/transformers.*onnx/s),
  })
})
