import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { startEmbeddedPostgres } from '../../../src/serve/postgres/embedded.ts'
import { describeSink } from '../../conformance/sink.ts'
import { postgresStore } from './postgres-store.ts'

describeSink('the embedded PostgreSQL', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'mekong-postgres-'))
  const embedded = await startEmbeddedPostgres({ folder, port: 0 })
  return postgresStore(embedded.config, async () => {
    await embedded.close()
    rmSync(folder, { recursive: true })
  })
})
