import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { messageOf } from '../../model/errors.ts'
import { SinkConfigError, SinkFailedError } from '../errors.ts'
import type { GraphConnection, GraphDialect, GraphRow } from '../graph/connection.ts'
import type { LadybugConfig } from './config.ts'

/** As much of LadybugDB's package as we call. */
interface LadybugPackage {
  readonly Database: new (file: string, memoryBytes?: number) => { close(): Promise<void> }
  readonly Connection: new (database: object, threads?: number) => LadybugSession
}
interface LadybugSession {
  query(cypher: string): Promise<LadybugResult | LadybugResult[]>
  prepare(cypher: string): Promise<{ isSuccess(): boolean; getErrorMessage(): string }>
  execute(statement: object, parameters: object): Promise<LadybugResult | LadybugResult[]>
  close(): Promise<void>
}
interface LadybugResult {
  getAll(): Promise<GraphRow[]>
  close(): void
}

const TYPES = { int: 'INT64', float: 'DOUBLE', text: 'STRING', bool: 'BOOLEAN' } as const

const LADYBUG: GraphDialect = Object.freeze({
  needsTables: true,
  copiesEdges: true,
  castInts: (expression: string) => `cast(${expression}, 'INT64[]')`,
  cast: (expression: string, type: Parameters<GraphDialect['cast']>[1]) =>
    type === 'texts' ? expression : `cast(${expression}, '${TYPES[type]}')`,
})

/** The package for this machine: its binary comes in a package of its own, which needs no install script. `undefined` where there is none. */
async function loadLadybug(): Promise<LadybugPackage | undefined> {
  try {
    const name = `@ladybugdb/core-${process.platform}-${process.arch}`
    const loaded = (await import(name)) as { default?: LadybugPackage }
    return loaded.default ?? (loaded as unknown as LadybugPackage)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_MODULE_NOT_FOUND') return undefined
    throw error
  }
}

/** Open the embedded graph. Statements run one after another. @throws SinkConfigError without the package or with a file that it cannot open */
export async function openLadybug(config: LadybugConfig): Promise<GraphConnection> {
  const ladybug = await loadLadybug()
  if (ladybug === undefined)
    throw new SinkConfigError(
      `The embedded graph needs the optional package @ladybugdb/core-${process.platform}-${process.arch}, which is not installed. Run npm install --include=optional, or set NEO4J_URI.`,
    )
  mkdirSync(path.dirname(config.file), { recursive: true })
  const database = new ladybug.Database(config.file, config.memoryBytesMax)
  const session = new ladybug.Connection(database, config.threads)
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }

  const run = async (cypher: string, parameters?: object): Promise<readonly GraphRow[]> => {
    try {
      let result: LadybugResult | LadybugResult[]
      if (parameters === undefined) result = await session.query(cypher)
      else {
        const statement = await session.prepare(cypher)
        if (!statement.isSuccess()) throw new SyntaxError(statement.getErrorMessage())
        result = await session.execute(statement, parameters)
      }
      const last = Array.isArray(result) ? result.at(-1)! : result
      const rows = await last.getAll()
      last.close()
      return rows
    } catch (cause) {
      throw new SinkFailedError(`The embedded graph refused a statement: ${messageOf(cause)}`, {
        cause,
      })
    }
  }

  return {
    dialect: LADYBUG,
    run: (cypher, parameters) => inTurn(() => run(cypher, parameters)),
    transaction: (work) =>
      inTurn(async () => {
        await run('BEGIN TRANSACTION')
        try {
          const result = await work(run)
          await run('COMMIT')
          return result
        } catch (error) {
          await run('ROLLBACK').catch(() => {})
          throw error
        }
      }),
    close: () =>
      inTurn(async () => {
        await session.close()
        await database.close()
      }),
  }
}
