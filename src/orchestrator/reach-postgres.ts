import path from 'node:path'
import type { PostgresConfig } from '../serve/postgres/config.ts'
import { findEmbeddedPostgres, startEmbeddedPostgres } from '../serve/postgres/embedded.ts'
import { homeAt, lockHome } from './home.ts'
import { serverConfig } from './open-postgres.ts'
import type { Settings } from './settings.ts'

/** A PostgreSQL to ask, for as long as it is held. */
export interface ReachedPostgres {
  readonly config: PostgresConfig
  release(): Promise<void>
}

/**
 * The PostgreSQL of a home, for reading: the server, the embedded one of a running platform, or, when nothing runs, the embedded one
 * opened for the while, under the home's lock.
 * @throws HomeLockedError, SinkUnavailableError
 */
export async function reachPostgres(
  homeFolder: string,
  settings: Settings,
): Promise<ReachedPostgres> {
  if (settings.postgres === 'server') {
    return { config: serverConfig(settings), release: async () => {} }
  }
  const folder = path.join(homeAt(homeFolder).serve, 'postgres')
  const running = await findEmbeddedPostgres(folder)
  if (running !== null) return { config: running, release: async () => {} }
  const home = lockHome(homeFolder)
  try {
    const opened = await startEmbeddedPostgres({ folder, port: 0 })
    return {
      config: opened.config,
      async release() {
        await opened.close()
        home.release()
      },
    }
  } catch (error) {
    home.release()
    throw error
  }
}
