import { postgresConfigFromVariables } from '../../../src/serve/postgres/config.ts'
import { describeSink } from '../../conformance/sink.ts'
import { ensureService } from '../../services.ts'
import { postgresStore } from './postgres-store.ts'

describeSink('a PostgreSQL server', async () => {
  const server = await ensureService('postgres')
  if ('skip' in server) return server
  const resolved = postgresConfigFromVariables(server.environment)
  if (resolved.status !== 'resolved') throw new Error(JSON.stringify(resolved))
  return postgresStore(resolved.config, async () => {})
})
