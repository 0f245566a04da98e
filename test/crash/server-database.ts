import pg from 'pg'
import type { ServiceHandle } from '../services.ts'

/** A database of its own on a real PostgreSQL server. */
export interface ServerDatabase {
  /** With which the platform uses it, through another port where one is given. */
  variables(port?: number): Readonly<Record<string, string>>
  readonly url: string
  drop(): Promise<void>
}

export async function createServerDatabase(server: ServiceHandle): Promise<ServerDatabase> {
  const { environment } = server
  const name = `crash_${Date.now().toString(36)}`
  const urlOf = (database: string) =>
    `postgres://${environment.POSTGRES_USER}:${environment.POSTGRES_PASSWORD}@127.0.0.1:${server.port}/${database}`
  const run = async (sql: string) => {
    const client = new pg.Client({ connectionString: urlOf(environment.POSTGRES_DB!) })
    await client.connect()
    await client.query(sql).finally(() => client.end())
  }
  await run(`CREATE DATABASE ${name}`)
  return {
    variables: (port = server.port) => ({
      ...environment,
      POSTGRES_DB: name,
      POSTGRES_PORT: String(port),
    }),
    url: urlOf(name),
    drop: () => run(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}
