import type { Columns } from '../model/column.ts'
import { messageOf } from '../model/errors.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { quoteText } from '../sql/duckdb/quote-identifier.ts'
import { type Origin, originsOfPlan } from '../sql/models/column-lineage.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { madeRelations } from '../sql/models/made-relations.ts'
import { inOrder } from '../sql/models/model-graph.ts'
import { type ModelSession, openModelSession } from '../sql/models/model-session.ts'
import { emptyRowsSql } from '../sql/models/net-changes.ts'
import { INCOMING, type ReadModel, TOUCHED } from '../sql/models/read-model.ts'
import { versionedColumns } from '../sql/models/row-versions.ts'
import { declaredColumns } from './declared-columns.ts'
import { readModels } from './read-models.ts'

/** Where the columns of a model come from. */
export interface ModelLineage {
  readonly pipeline: string
  readonly model: string
  /** Tables and views it reads. */
  readonly reads: readonly string[]
  readonly columns: readonly ColumnLineage[]
  /** Why the columns are not known, when they are not; then there are none. */
  readonly problem?: string
}

export interface ColumnLineage {
  readonly name: string
  readonly from: readonly Origin[]
}

export interface LineageOptions {
  readonly engine: ComputeEngine
  readonly plans: readonly PipelinePlan[]
  /** For columns of tables that no pipeline declares. Default: those are not known. */
  readonly lake?: {
    open(table: string): Promise<{ readonly columns: Columns } | undefined>
  }
}

/**
 * Column by column, what the models of some pipelines are made of: one step up, to the tables and views that each names. Nothing of a lake
 * is read but the columns of its tables.
 * @throws ModelInvalidError, SqlError, QueryRefusedError when a model cannot be read
 */
export async function lineageOf(options: LineageOptions): Promise<readonly ModelLineage[]> {
  const { engine, plans } = options
  const models: { readonly pipeline: string; readonly read: ReadModel }[] = []
  for (const plan of plans)
    for (const read of await readModels(engine, plan.models))
      models.push({ pipeline: plan.name, read })
  const ordered = inOrder(models, ({ read }) => ({ name: read.model.name, reads: read.reads }))
  const session = await openModelSession(engine, { runTimeMs: 0 })
  try {
    const tables = new KnownTables(session, options)
    const lineage: ModelLineage[] = []
    for (const { pipeline, read } of ordered)
      lineage.push({ pipeline, ...(await lineageOfModel(session, read, tables)) })
    return lineage
  } finally {
    await session.close()
  }
}

/** The same for one model whose sources are there. */
export async function lineageOfOne(
  options: LineageOptions & { readonly views: ReadonlyMap<string, ReadModel> },
  read: ReadModel,
): Promise<Omit<ModelLineage, 'pipeline'>> {
  const session = await openModelSession(options.engine, { runTimeMs: 0 })
  try {
    return await lineageOfModel(session, read, new KnownTables(session, options, options.views))
  } finally {
    await session.close()
  }
}

/** Empty tables with the columns of the real ones, made when they are first named. */
class KnownTables {
  readonly #session: ModelSession
  readonly #options: LineageOptions
  readonly #declared: (table: string) => Columns | undefined
  readonly #views: ReadonlyMap<string, ReadModel>
  readonly #made = new Map<string, Columns>()

  constructor(
    session: ModelSession,
    options: LineageOptions,
    views: ReadonlyMap<string, ReadModel> = new Map(),
  ) {
    this.#views = views
    this.#session = session
    this.#options = options
    this.#declared = declaredColumns(options.plans)
  }

  async columns(name: string): Promise<Columns> {
    const made = this.#made.get(name)
    if (made !== undefined) return made
    const view = this.#views.get(name)
    if (view !== undefined) {
      for (const under of view.reads) await this.columns(under)
      return this.make(name, (await this.#session.describe(view.sql)).columns)
    }
    const columns = this.#declared(name) ?? (await this.#options.lake?.open(name))?.columns
    if (columns === undefined)
      throw new ModelInvalidError(
        `The columns of ${name} are not known: no pipeline declares them, and the table is not there.`,
      )
    return this.make(name, columns)
  }

  async make(name: string, columns: Columns): Promise<Columns> {
    this.#made.set(name, columns)
    await this.#session.table(name, emptyRowsSql(columns))
    return columns
  }
}

async function lineageOfModel(
  session: ModelSession,
  read: ReadModel,
  tables: KnownTables,
): Promise<Omit<ModelLineage, 'pipeline'>> {
  const { model } = read
  const what = { model: model.name, reads: read.reads }
  try {
    for (const name of read.reads) await tables.columns(name)
    if (read.readsItself && model.columns !== undefined)
      await tables.make(model.name, model.columns)
    if (model.incoming !== undefined)
      await session.table(INCOMING, emptyRowsSql(await tables.columns(model.incoming)))
    await madeRelations(session, read)
    const { columns } = await session.describe(read.sql)
    const origins = await originsOf(session, read.sql)
    const isKept = model.materialize.kind === 'snapshot'
    await tables.make(model.name, isKept ? versionedColumns(columns) : columns)
    const named = (origin: Origin): Origin =>
      origin.table === INCOMING ? { ...origin, table: model.incoming! } : origin
    return {
      ...what,
      columns: columns.map(({ name }, place) => ({
        name,
        from: [...(origins[place]?.values() ?? [])]
          .filter(({ table }) => table !== TOUCHED)
          .map(named),
      })),
    }
  } catch (error) {
    return { ...what, columns: [], problem: messageOf(error) }
  }
}

async function originsOf(session: ModelSession, sql: string) {
  const [[json]] = (await session.read(
    `SELECT json_serialize_plan(${quoteText(sql)}, optimize := false)`,
  )) as [[string]]
  const answer = JSON.parse(json) as { error: boolean; error_message?: string; plans?: unknown[] }
  if (answer.error || answer.plans === undefined)
    throw new ModelInvalidError(
      `DuckDB could not show the plan of a model: ${answer.error_message}`,
    )
  return originsOfPlan(answer.plans[0])
}
