import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pineconeIndex } from '../../../src/serve/pinecone/client.ts'
import { PINECONE_DEFAULTS } from '../../../src/serve/pinecone/config.ts'
import { openPineconeMemory } from '../../../src/serve/pinecone/memory.ts'
import { pineconeSearch, pineconeSyncTarget } from '../../../src/serve/pinecone/sync-target.ts'
import { secret } from '../../../src/serve/postgres/config.ts'
import { describeSyncTarget } from '../../conformance/sync-target.ts'
import { type PineconeStandIn, startPinecone } from './pinecone-stand-in.ts'
import { embedder, VECTORS, vectorItem } from './subjects.ts'

// The same suite against a stand-in that enforces Pinecone's documented API; what a real index does beyond its documents, this does not show.

const KEY = 'a key'
const folder = mkdtempSync(path.join(tmpdir(), 'mekong-pinecone-'))
let standIn: PineconeStandIn
beforeAll(async () => {
  standIn = await startPinecone(embedder.dimensions, KEY)
})
afterAll(async () => {
  await standIn.close()
  rmSync(folder, { recursive: true, force: true })
})

const indexOf = (key = KEY) =>
  pineconeIndex({
    ...PINECONE_DEFAULTS,
    host: standIn.url,
    apiKey: secret(key),
    memoryFile: path.join(folder, 'memory.sqlite'),
  })
const memory = openPineconeMemory(path.join(folder, 'memory.sqlite'))
const options = { memory, consumer: 'suite/vectors', collections: [VECTORS], embedder }

describeSyncTarget('vectors in Pinecone (stand-in)', async () => ({
  ...{ name: 'pinecone', collections: [VECTORS], item: vectorItem },
  open: async () => pineconeSyncTarget({ ...options, index: indexOf() }),
}))

test('too many requests are waited out, a wrong key is said', async () => {
  const target = pineconeSyncTarget({ ...options, index: indexOf() })
  standIn.fail(429, 2)
  await target.open()
  await expect(
    pineconeSyncTarget({ ...options, index: indexOf('wrong') }).open(),
  ).rejects.toMatchObject({ code: 'SINK_MISCONFIGURED' })
})

test('the nearest comes first, with what it takes to show it', async () => {
  const target = pineconeSyncTarget({ ...options, index: indexOf() })
  await target.clear()
  const items = ['a wizard at school', 'a heist in dreams'].map((word, at) =>
    vectorItem(at + 1, word),
  )
  await target.write({ puts: items.map((item) => ({ item, version: 1 })), removes: [] })
  const { vectors } = await embedder.embed(['heist dreams'], 'query')
  const [hit] = await pineconeSearch(indexOf(), [VECTORS]).nearest({
    ...{ collection: VECTORS.name, vector: vectors[0]!, filter: {}, limit: 1 },
  })
  expect(hit).toMatchObject({ id: '2', values: { title: 'a heist in dreams', year: 1902 } })
})
