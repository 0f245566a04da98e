import path from 'node:path'
import type { PipelinePlan } from '../pipeline/plan.ts'
import { type PostgresConfig, postgresConfig, secret } from '../serve/postgres/config.ts'
import { startEmbeddedPostgres } from '../serve/postgres/embedded.ts'
import type { Home } from './home.ts'
import { collectionsOf } from './open-followers.ts'
import type { Settings } from './settings.ts'

export interface OpenPostgres {
  readonly config: PostgresConfig
  /** For people. */
  readonly psqlCommand: string
  close(): Promise<void>
}

export interface OpenPostgresOptions {
  readonly home: Home
  readonly settings: Settings
  readonly plans: readonly PipelinePlan[]
  readonly onNotice: (line: string) => void
}

/** The PostgreSQL that the settings name: one in the home folder, or a server. `undefined` when no pipeline serves from one. */
export async function openPostgres(
  options: OpenPostgresOptions,
): Promise<OpenPostgres | undefined> {
  const { home, settings, plans, onNotice } = options
  const wanted = plans.some(
    (plan) =>
      plan.references.length > 0 ||
      (settings.mongodbUrl === undefined && collectionsOf(plan).length > 0) ||
      plan.serves.some(({ target }) => target.store === 'postgres') ||
      (settings.mysql === 'postgres' && plan.publishes.length > 0),
  )
  if (!wanted) return undefined
  if (settings.postgres === 'server') {
    const config = serverConfig(settings)
    const psqlCommand = `psql -h ${config.host} -p ${config.port} -U ${config.user} ${config.database}`
    return { config, psqlCommand, close: async () => {} }
  }
  return startEmbeddedPostgres({
    folder: path.join(home.serve, 'postgres'),
    port: settings.postgresPort,
    onNotice,
  })
}

/** The server that the settings describe; all its parts were checked to be there. */
export function serverConfig(settings: Settings): PostgresConfig {
  return postgresConfig({
    host: settings.postgresHost!,
    port: settings.postgresPort,
    database: settings.postgresDatabase!,
    user: settings.postgresUser!,
    password: secret(settings.postgresPassword!),
    sslMode: settings.postgresSslMode,
  })
}
