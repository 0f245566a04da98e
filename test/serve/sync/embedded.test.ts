import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'
import { loadChdb, openChdb } from '../../../src/serve/clickhouse/embedded.ts'
import { clickhouseSyncTarget } from '../../../src/serve/clickhouse/sync-target.ts'
import { graphSyncTarget } from '../../../src/serve/graph/sync-target.ts'
import { openLadybug } from '../../../src/serve/ladybug/client.ts'
import { openLance } from '../../../src/serve/lancedb/client.ts'
import { lanceSyncTarget } from '../../../src/serve/lancedb/sync-target.ts'
import { describeSyncTarget } from '../../conformance/sync-target.ts'
import {
  EDGES,
  edgeEnds,
  edgeItem,
  embedder,
  NODES,
  nodeItem,
  ROWS,
  rowItem,
  VECTORS,
  vectorItem,
} from './subjects.ts'

// The engines that live in this process, each over one store that all handles share.

const folder = mkdtempSync(path.join(tmpdir(), 'mekong-sync-targets-'))
const closers: (() => Promise<void> | void)[] = []
afterAll(async () => {
  for (const close of closers) await close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

describeSyncTarget('ClickHouse in this process (chDB)', async () => {
  if ((await loadChdb()) === undefined) return { skip: 'the package chdb is not installed' }
  const connection = await openChdb({
    ...{ folder: path.join(folder, 'chdb'), memoryBytesMax: 512 * 1024 ** 2, threads: 1 },
  })
  closers.push(() => connection.close())
  const options = { connect: async () => connection, database: 'suite', consumer: 'suite/rows' }
  return {
    ...{ name: 'chdb', collections: [ROWS], item: rowItem },
    open: async () =>
      clickhouseSyncTarget({ ...options, collections: [ROWS], nowMs: () => Date.now() }),
  }
})

for (const [what, item, before] of [
  ['nodes', nodeItem, []],
  ['edges', edgeItem, edgeEnds],
] as const) {
  describeSyncTarget(`graph in this process (LadybugDB), ${what}`, async () => {
    const connection = await openLadybug({
      ...{ file: path.join(folder, `${what}.lbug`), memoryBytesMax: 256 * 1024 ** 2, threads: 1 },
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

describeSyncTarget('vectors in this process (LanceDB)', async () => {
  const store = await openLance({ folder: path.join(folder, 'lance') }, [VECTORS])
  closers.push(() => store.close())
  const options = { connect: async () => store, consumer: 'suite/vectors', embedder }
  return {
    ...{ name: 'lancedb', collections: [VECTORS], item: vectorItem },
    open: async () => lanceSyncTarget({ ...options, collections: [VECTORS] }),
  }
})
