import { type ChatEndpoint, chatCompletion } from '../enrich/answering/chat-completion.ts'
import { openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMissingError } from '../lake/errors.ts'
import { isIn } from '../model/predicate.ts'
import type { SyncRow } from '../model/sync.ts'
import { ReadRefusedError, type ReadStores, type RowsRequest } from '../pipeline/read.ts'
import type { GraphConnection } from '../serve/graph/connection.ts'
import type { EmbedPort, VectorSearch } from '../serve/vector-store.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { compiledPlan } from './compiled-plans.ts'
import { hybridSearch } from './hybrid-search.ts'
import { tableKey } from './lake-home.ts'

// What the read routes of pipelines may look at. In: rows of the lake, the graph, the vectors. Out: plain values. Nothing is written.

export interface ReadWorld {
  readonly engine: ComputeEngine
  readonly delta: DeltaDeps
  readonly graph: () => Promise<GraphConnection>
  readonly vectors: () => Promise<VectorSearch>
  readonly embedder: () => Promise<EmbedPort>
  readonly chat: ChatEndpoint | undefined
}

/** The stores for one request. */
export function readStores(world: ReadWorld, signal: AbortSignal): ReadStores {
  return {
    rows: (request) => rowsOf(world, request, signal),
    async graph(cypher, parameters) {
      const connection = await world.graph()
      const { dialect } = connection
      const text = cypher({
        int: (expression) => dialect.cast(expression, 'int'),
        ints: (expression) => dialect.castInts(expression),
      })
      return (await connection.run(text, parameters)) as readonly SyncRow[]
    },
    search: async (request) =>
      hybridSearch(await world.vectors(), await world.embedder(), request, signal),
    complete: async (messages) =>
      world.chat === undefined ? undefined : chatCompletion(world.chat, messages, signal),
  }
}

/** Statistics choose the files, so that a few rows cost a few files. */
async function rowsOf(
  { engine, delta }: ReadWorld,
  { table, column, in: wanted, columns }: RowsRequest,
  signal: AbortSignal,
): Promise<readonly SyncRow[]> {
  if (wanted.length === 0) return []
  const snapshot = await (await opened(delta, table)).snapshot({}, signal)
  const values = wanted.map((value) => ({ type: 'int64', value: BigInt(value) }) as const)
  const plan = await snapshot.plan(
    {
      predicate: isIn([column], values),
      ...(columns === undefined ? {} : { columns: [...columns] }),
    },
    signal,
  )
  const connection = await engine.connection()
  try {
    const rows = await connection.rows(
      `SELECT to_json(entity)::VARCHAR FROM (${await compiledPlan(plan, engine, signal)}) AS entity`,
      signal,
    )
    return rows.map(([json]) => JSON.parse(json as string) as SyncRow)
  } finally {
    connection.close()
  }
}

async function opened(delta: DeltaDeps, table: string) {
  try {
    return await openDeltaTable(delta, tableKey(table))
  } catch (error) {
    if (error instanceof TableMissingError)
      throw new ReadRefusedError(503, `${table} is not there yet. It is made by the next run.`)
    throw error
  }
}
