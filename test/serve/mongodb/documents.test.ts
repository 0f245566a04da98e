import { mongoConfig } from '../../../src/serve/mongodb/config.ts'
import { mongoDocuments } from '../../../src/serve/mongodb/documents.ts'
import { describeDocumentStore } from '../../conformance/document-store.ts'
import { ensureService } from '../../services.ts'

describeDocumentStore("a server that speaks MongoDB's protocol", async () => {
  const service = await ensureService('mongodb')
  if ('skip' in service) return undefined
  const url = service.environment.MONGODB_URL!
  const store = mongoDocuments(mongoConfig({ url, database: 'mekong_tests' }))
  return { store, close: () => store.close() }
})
