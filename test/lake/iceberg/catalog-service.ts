import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { metadataJson } from '../../../src/lake/iceberg/metadata-json.ts'
import { restServer } from '../../../src/lake/iceberg/rest-server.ts'
import type { SqliteCatalog } from '../../../src/lake/iceberg/sqlite-catalog.ts'
import { systemClock, systemRandomness } from '../../../src/model/clock.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import { uuidV7Maker } from '../../../src/model/uuid.ts'

/** The REST protocol over a catalog, on a server of the test's own that can lose answers. */
export interface CatalogService {
  readonly uri: string
  /** The next requests of this method are dealt with like this; in order, each once. */
  misbehave(method: string, how: readonly Misbehaviour[]): void
  close(): Promise<void>
}

/** `lost`: carried out, and the connection is cut. `away`: not carried out, 503. `torn`: cut without being carried out. */
export type Misbehaviour = 'lost' | 'away' | 'torn'

export async function serveCatalog({
  catalog,
  store,
}: {
  readonly catalog: SqliteCatalog
  readonly store: ObjectStore
}): Promise<CatalogService> {
  const protocol = restServer({
    ...{ catalog, store },
    newId: uuidV7Maker(systemClock, systemRandomness),
    nowMs: () => Date.now(),
    namespaces: ['bronze'],
  })
  const planned = new Map<string, Misbehaviour[]>()
  const server = createServer(async (request, response) => {
    const how = planned.get(request.method!)?.shift()
    const body = await text(request)
    if (how === 'torn') return void request.socket.destroy()
    if (how === 'away') return void response.writeHead(503).end()
    const [path, query] = request.url!.split('?')
    const { status, value } = await protocol.answer({
      method: request.method!,
      segments: path!.split('/').slice(2).map(decodeURIComponent),
      query: new URLSearchParams(query),
      body,
      isGivenCredentials: false,
    })
    if (how === 'lost') return void request.socket.destroy()
    response.writeHead(status, { 'content-type': 'application/json' })
    response.end(value === undefined ? undefined : metadataJson(value))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    uri: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    misbehave: (method, how) => void planned.set(method, [...how]),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
