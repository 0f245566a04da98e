import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { CollectionPlan, PipelinePlan } from '../pipeline/plan.ts'
import type { DocumentStore, NewDocument } from '../serve/document-store.ts'
import { documentSql } from '../sql/duckdb/document-rows.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { type QueryTable, runQuery } from '../sql/duckdb/query.ts'
import { quoteIdentifier } from '../sql/duckdb/quote-identifier.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { lakeQueryTables } from './tables-to-sql.ts'

// What SQL says about the lake at a moment, as a whole collection of documents. In: tables of the lake, and the run's logical time. Out: the
// collection, replaced in one step, also by nothing. Survives a crash: the collection as it was, or as it is to be.

export interface CollectionWorld {
  readonly engine: ComputeEngine
  readonly catalog: LakeCatalog
  readonly documents: DocumentStore | undefined
}

/** Documents of one collection are held in memory while it is replaced. */
const DOCUMENT_COUNT_MAX = 1_000_000
/** The run's own timeout and signal end it before. */
const QUERY_MS_MAX = 24 * 3_600_000

/** The collections of a pipeline as tasks, each after the tables it reads. */
export function collectionTasks(world: CollectionWorld, plan: PipelinePlan): readonly Task[] {
  return plan.collections.map(
    (collection): Task => ({
      id: `publish/${plan.name}/${collection.facts.name}`,
      pipeline: plan.name,
      kind: 'publish',
      after: collection.reads,
      tags: collection.tags,
      writes: [`documents/${collection.facts.name}`],
      run: (context) => publish(world, collection, context),
    }),
  )
}

async function publish(
  { engine, catalog, documents }: CollectionWorld,
  { facts, sql, id, reads }: CollectionPlan,
  { logicalMs, signal, log }: TaskContext,
): Promise<TaskReport> {
  if (documents === undefined) return { status: 'nothing_new', facts: {} }
  const known = await catalog.names()
  const absent = reads.filter((name) => !known.includes(name))
  if (absent.length > 0) {
    log(`${absent.join(', ')} not there yet`)
    return { status: 'nothing_new', facts: {} }
  }
  const text = typeof sql === 'string' ? sql : await readFile(fileURLToPath(sql), 'utf8')
  const tables = [...(await lakeQueryTables(catalog, engine)), momentTable(logicalMs)]
  const ask = (question: string) =>
    runQuery(engine, {
      ...{ sql: question, tables, signal, timeoutMs: QUERY_MS_MAX },
      rowCountMax: DOCUMENT_COUNT_MAX,
    })
  const bare = text.trim().replace(/;\s*$/, '')
  const { columns } = await ask(`SELECT * FROM (${bare}\n) LIMIT 0`)
  // By DuckDB's own types: what has no other word here is written as JSON has it.
  const document = documentSql(
    columns.map(({ name, type }) => ({ name, type: columnTypeFor(type), nullable: true })),
    documents.notation,
  )
  const { rows } = await ask(
    `SELECT ${quoteIdentifier(id)}::VARCHAR, ${document} FROM (${bare}\n) ORDER BY 1`,
  )
  const made = rows.map(
    ([name, body]): NewDocument => ({ id: name as string, document: body as string }),
  )
  await documents.replace(facts, made, logicalMs)
  return { status: 'done', facts: { documents: made.length } }
}

/** `run.moment`: one row with the logical time of the run, and the day of UTC that it is in. */
function momentTable(logicalMs: number): QueryTable {
  const select = `SELECT make_timestamptz(${logicalMs}::BIGINT * 1000) AS logical_time, make_timestamp(${logicalMs}::BIGINT * 1000)::DATE AS logical_date`
  return { schema: 'run', name: 'moment', select: () => select }
}

function columnTypeFor(type: string) {
  if (type.startsWith('TIMESTAMP WITH TIME ZONE')) return 'timestamp' as const
  if (type === 'DATE') return 'date' as const
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type)
  if (decimal !== null)
    return {
      ...{ kind: 'decimal' as const, precision: Number(decimal[1]), scale: Number(decimal[2]) },
    }
  return 'string' as const
}
