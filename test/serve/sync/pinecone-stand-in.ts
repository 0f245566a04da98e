import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PINECONE_LIMITS } from '../../../src/serve/pinecone/config.ts'

// A server that answers as Pinecone's documented data plane does, and refuses what it would refuse: keys, lengths, counts, bytes, nulls and nested
// values in metadata. (https://docs.pinecone.io/reference/api/2025-04/data-plane)

interface Stored {
  readonly id: string
  readonly values: number[]
  readonly metadata: Record<string, unknown>
}

export interface PineconeStandIn {
  readonly url: string
  /** Answer the next so many requests with this status. */
  fail(status: number, times: number): void
  readonly requests: { readonly path: string; readonly count: number }[]
  close(): Promise<void>
}

export async function startPinecone(dimension: number, key: string): Promise<PineconeStandIn> {
  const spaces = new Map<string, Map<string, Stored>>()
  const requests: { path: string; count: number }[] = []
  let failing = { status: 0, times: 0 }

  const answer = (path: string, query: URLSearchParams, body: Record<string, unknown>) => {
    const name = String(body.namespace ?? query.get('namespace') ?? '')
    const space = spaces.get(name) ?? new Map<string, Stored>()
    switch (path) {
      case '/describe_index_stats':
        return { dimension, namespaces: Object.fromEntries([...spaces].map(([n]) => [n, {}])) }
      case '/vectors/upsert': {
        const vectors = body.vectors as Stored[]
        if (vectors.length > PINECONE_LIMITS.upsertCountMax) throw 'too many vectors'
        for (const vector of vectors) checkVector(vector, dimension)
        spaces.set(name, space)
        for (const vector of vectors) space.set(vector.id, vector)
        return { upsertedCount: vectors.length }
      }
      case '/vectors/delete':
        if (body.deleteAll === true) spaces.delete(name)
        else for (const id of body.ids as string[]) space.delete(id)
        return {}
      case '/vectors/list': {
        const ids = [...space.keys()].sort()
        const start = Number(query.get('paginationToken') ?? 0)
        const limit = Number(query.get('limit'))
        if (limit > 100) throw 'limit above 100'
        const page = ids.slice(start, start + limit)
        const more = start + limit < ids.length
        const pagination = more ? { pagination: { next: String(start + limit) } } : {}
        return { vectors: page.map((id) => ({ id })), namespace: name, ...pagination }
      }
      case '/vectors/fetch': {
        const found = query.getAll('ids').flatMap((id) => space.get(id) ?? [])
        return { vectors: Object.fromEntries(found.map((vector) => [vector.id, vector])) }
      }
      case '/query': {
        const vector = body.vector as number[]
        const dot = (values: number[]) => values.reduce((sum, v, i) => sum + v * vector[i]!, 0)
        const matches = [...space.values()]
          .map(({ id, values, metadata }) => ({ id, score: dot(values), metadata }))
          .sort((a, b) => b.score - a.score)
          .slice(0, Number(body.topK))
        return { matches, namespace: name }
      }
      default:
        throw `no path ${path}`
    }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const text = Buffer.concat(chunks).toString()
    const url = new URL(request.url!, 'http://stand-in')
    const send = (status: number, value: unknown) =>
      response
        .writeHead(status, { 'content-type': 'application/json', 'retry-after': '0' })
        .end(JSON.stringify(value))
    if (request.headers['api-key'] !== key) return send(401, { message: 'Invalid API key' })
    if (request.headers['x-pinecone-api-version'] === undefined)
      return send(400, { message: 'version' })
    if (text.length > PINECONE_LIMITS.upsertBytesMax) return send(413, { message: 'too large' })
    const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
    requests.push({ path: url.pathname, count: (body.vectors as [] | undefined)?.length ?? 0 })
    if (failing.times > 0) {
      failing.times -= 1
      return send(failing.status, { message: 'for a while' })
    }
    try {
      return send(200, answer(url.pathname, url.searchParams, body))
    } catch (error) {
      return send(400, { message: String(error) })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fail: (status, times) => {
      failing = { status, times }
    },
    requests,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

function checkVector({ id, values, metadata }: Stored, dimension: number): void {
  if (typeof id !== 'string' || id.length > 512) throw 'bad id'
  if (values.length !== dimension) throw `dimension ${values.length}`
  if (values.every((value) => value === 0)) throw 'a vector of zeros'
  if (JSON.stringify(metadata).length > PINECONE_LIMITS.metadataBytesMax) throw 'metadata too large'
  for (const [name, value] of Object.entries(metadata)) {
    const isTexts = Array.isArray(value) && value.every((each) => typeof each === 'string')
    if (!['string', 'number', 'boolean'].includes(typeof value) && !isTexts)
      throw `metadata ${name} is ${JSON.stringify(value)}`
  }
}
