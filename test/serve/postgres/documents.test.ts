import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { postgresConfigFromVariables } from '../../../src/serve/postgres/config.ts'
import { postgresDocuments } from '../../../src/serve/postgres/documents.ts'
import { startEmbeddedPostgres } from '../../../src/serve/postgres/embedded.ts'
import { describeDocumentStore } from '../../conformance/document-store.ts'
import { ensureService } from '../../services.ts'

describeDocumentStore('the embedded PostgreSQL', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-documents-'))
  const embedded = await startEmbeddedPostgres({ folder, port: 0 })
  const store = postgresDocuments(embedded.config)
  return {
    store,
    async close() {
      await store.close()
      await embedded.close()
      rmSync(folder, { recursive: true })
    },
  }
})

describeDocumentStore('a PostgreSQL server', async () => {
  const server = await ensureService('postgres')
  if ('skip' in server) return undefined
  const resolved = postgresConfigFromVariables(server.environment)
  if (resolved.status !== 'resolved') throw new Error(JSON.stringify(resolved))
  const store = postgresDocuments(resolved.config)
  return { store, close: () => store.close() }
})
