import { type Db, MongoClient } from 'mongodb'
import { type MongoConfig, mongoName } from './config.ts'
import { mongoError } from './errors.ts'

/** A database that answered, for as long as it is held. The driver reconnects by itself. */
export interface MongoDatabase {
  readonly db: Db
  close(): Promise<void>
}

/** Connect. @throws SinkUnavailableError, SinkConfigError */
export async function connectMongo(config: MongoConfig): Promise<MongoDatabase> {
  try {
    const client = new MongoClient(config.url.reveal(), {
      appName: 'mekong',
      serverSelectionTimeoutMS: config.selectionTimeoutMs,
      // Writing the same again is harmless and done by the caller; not every server has sessions.
      retryWrites: false,
      retryReads: false,
      // Acknowledged by a majority and in its journal: what we count as taken must survive a failover.
      writeConcern: { w: 'majority', journal: true },
      ignoreUndefined: true,
    })
    await client.connect()
    await client.db(config.database).command({ ping: 1 })
    return { db: client.db(config.database), close: () => client.close() }
  } catch (error) {
    throw mongoError(`connect to ${mongoName(config)}`, error)
  }
}
