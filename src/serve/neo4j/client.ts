import neo4j from 'neo4j-driver'
import type { GraphConnection, GraphDialect, GraphRow } from '../graph/connection.ts'
import type { Neo4jConfig } from './config.ts'
import { neo4jError } from './errors.ts'

const CASTS = { int: 'toInteger', float: 'toFloat', bool: 'toBoolean' } as const

const NEO4J: GraphDialect = Object.freeze({
  needsTables: false,
  copiesEdges: false,
  castInts: (expression: string) => `[text IN ${expression} | toInteger(text)]`,
  cast: (expression: string, type: Parameters<GraphDialect['cast']>[1]) =>
    type === 'text' || type === 'texts' ? expression : `${CASTS[type]}(${expression})`,
})

/** A Neo4j server. Connects with the first statement. */
export function openNeo4j(config: Neo4jConfig): GraphConnection {
  const driver = neo4j.driver(
    config.uri,
    neo4j.auth.basic(config.user, config.password?.reveal() ?? ''),
    {
      // Ids of ours are below 2^53.
      disableLosslessIntegers: true,
      connectionTimeout: config.connectTimeoutMs,
      // Longer retries are the orchestrator's business.
      maxTransactionRetryTime: config.connectTimeoutMs,
    },
  )
  const session = () =>
    driver.session(config.database === undefined ? {} : { database: config.database })
  const attempt = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      throw neo4jError(error, config.uri)
    }
  }
  const rowsOf = (result: { records: { toObject(): GraphRow }[] }) =>
    result.records.map((record) => record.toObject())
  return {
    dialect: NEO4J,
    run: (cypher, parameters = {}) =>
      attempt(async () => {
        const opened = session()
        try {
          return rowsOf(await opened.run(cypher, parameters))
        } finally {
          await opened.close()
        }
      }),
    transaction: (work) =>
      attempt(async () => {
        const opened = session()
        try {
          return await opened.executeWrite((transaction) =>
            work(async (cypher, parameters = {}) =>
              rowsOf(await transaction.run(cypher, parameters)),
            ),
          )
        } finally {
          await opened.close()
        }
      }),
    close: () => driver.close(),
  }
}
