import { postgresName } from '../serve/postgres/config.ts'
import { openPostgresRuns } from '../state/postgres-runs.ts'
import type { RunDatabase } from '../state/run-database.ts'
import type { StateStore } from '../state/state-store.ts'
import { serverConfig } from './open-postgres.ts'
import type { Settings } from './settings.ts'

/** Where runs are kept, as the settings say: in the state file of the home, or in the PostgreSQL server. @throws StateUnavailableError */
export async function openRunDatabase(settings: Settings, state: StateStore): Promise<RunDatabase> {
  return settings.runs === 'embedded' ? state.runDatabase() : openSharedRuns(settings)
}

/** @throws StateUnavailableError, StateVersionError */
export function openSharedRuns(settings: Settings): Promise<RunDatabase> {
  const config = serverConfig(settings)
  const { host, port, database, user, password, sslMode, sslRootCertificate: ca } = config
  const ssl = {
    rejectUnauthorized: sslMode === 'verify-full',
    ...(ca === null ? {} : { ca }),
  }
  return openPostgresRuns({
    ...{ host, port, database, user, password, name: postgresName(config) },
    ssl: sslMode === 'disable' ? false : ssl,
  })
}
