import { afterAll } from 'vitest'
import { graphSyncTarget } from '../../../src/serve/graph/sync-target.ts'
import { openNeo4j } from '../../../src/serve/neo4j/client.ts'
import { NEO4J_DEFAULTS } from '../../../src/serve/neo4j/config.ts'
import { secret } from '../../../src/serve/postgres/config.ts'
import { describeSyncTarget } from '../../conformance/sync-target.ts'
import { ensureService } from '../../services.ts'
import { EDGES, edgeEnds, edgeItem, NODES, nodeItem } from './subjects.ts'

// The same suite on a Neo4j server over Bolt.

const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closers) await close()
})

for (const [what, item, before] of [
  ['nodes', nodeItem, []],
  ['edges', edgeItem, edgeEnds],
] as const) {
  describeSyncTarget(`graph on a Neo4j server, ${what}`, async () => {
    const service = await ensureService('neo4j')
    if ('skip' in service) return service
    const { NEO4J_URI, NEO4J_USERNAME, NEO4J_PASSWORD } = service.environment
    const connection = openNeo4j({
      ...NEO4J_DEFAULTS,
      uri: NEO4J_URI!,
      user: NEO4J_USERNAME!,
      password: secret(NEO4J_PASSWORD!),
    })
    closers.push(() => connection.close())
    const collections = [...NODES, EDGES]
    return {
      ...{ name: what, collections, item, before },
      open: async () =>
        graphSyncTarget({ connect: async () => connection, consumer: 'suite/graph', collections }),
    }
  })
}
