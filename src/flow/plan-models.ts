import { type Columns, sameColumnType } from '../model/column.ts'
import { messageOf } from '../model/errors.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { madeRelations } from '../sql/models/made-relations.ts'
import { inOrder } from '../sql/models/model-graph.ts'
import {
  type Break,
  brokenConsumers,
  type Consumer,
  columnChanges,
  missingColumns,
  type PlannedModel,
  reasonOf,
} from '../sql/models/model-plan.ts'
import { type ModelSession, openModelSession } from '../sql/models/model-session.ts'
import { emptyRowsSql } from '../sql/models/net-changes.ts'
import { INCOMING, type ReadModel } from '../sql/models/read-model.ts'
import { columnDifferences } from '../sql/models/result-columns.ts'
import { versionedColumns } from '../sql/models/row-versions.ts'
import { decideRun, type RunDecision, readAppId } from '../sql/models/run-decision.ts'
import { declaredColumns } from './declared-columns.ts'
import { type Coming, estimateComing, estimateRun } from './estimate-run.ts'
import type { ModelLake, ModelTable } from './model-lake.ts'
import { tablesUnder } from './model-run.ts'
import { readCustomTests, readModels, viewsOf } from './read-models.ts'

// What the next run of all models would do. In: the pipelines as they are written now, and the lake as it is. Out: a line for each
// model, nothing changed. The SQL of every model is bound to the columns that those above it would have by then, so that what would
// break is known before anything runs.

export interface PlanModelsOptions {
  readonly engine: ComputeEngine
  readonly lake: ModelLake
  readonly plans: readonly PipelinePlan[]
  /** What reads the models' tables besides. Default: none. */
  readonly consumers?: readonly Consumer[]
}

export interface PlannedRun {
  readonly models: readonly PlannedModel[]
  /** Saved questions that would no longer have an answer. */
  readonly breaks: readonly Break[]
}

/** Tables looked at at once. */
const OPEN_CONCURRENCY = 32

/** @throws ModelInvalidError, SqlError, QueryRefusedError when a model cannot even be read */
export async function planModels(options: PlanModelsOptions): Promise<PlannedRun> {
  const { engine, lake, plans } = options
  const models: { readonly pipeline: string; readonly read: ReadModel }[] = []
  for (const plan of plans)
    for (const read of await readModels(engine, plan.models))
      models.push({ pipeline: plan.name, read })
  const ordered = inOrder(models, ({ read }) => ({ name: read.model.name, reads: read.reads }))
  const views = viewsOf(ordered.map(({ read }) => read))
  const names = new Set(ordered.flatMap(({ read }) => [read.model.name, ...read.reads]))
  const tables = await openTables(
    lake,
    [...names].filter((name) => !views.has(name)),
  )
  const session = await openModelSession(engine, { runTimeMs: Date.now() })
  try {
    const planner = new Planner({ options, session, tables, views })
    const planned: PlannedModel[] = []
    for (const { pipeline, read } of ordered) planned.push(await planner.plan(pipeline, read))
    return { models: planned, breaks: await planner.statementBreaks() }
  } finally {
    await session.close()
  }
}

async function openTables(
  lake: ModelLake,
  names: readonly string[],
): Promise<ReadonlyMap<string, ModelTable>> {
  const tables = new Map<string, ModelTable>()
  for (let start = 0; start < names.length; start += OPEN_CONCURRENCY)
    await Promise.all(
      names.slice(start, start + OPEN_CONCURRENCY).map(async (name) => {
        const table = await lake.open(name)
        if (table !== undefined) tables.set(name, table)
      }),
    )
  return tables
}

interface PlannerParts {
  readonly options: PlanModelsOptions
  readonly session: ModelSession
  readonly tables: ReadonlyMap<string, ModelTable>
  readonly views: ReadonlyMap<string, ReadModel>
}

/** Looks at models one after another, each knowing what becomes of those above it. */
class Planner {
  readonly #parts: PlannerParts
  readonly #declared: (table: string) => Columns | undefined
  /** Columns that tables and models would have when those below run; `undefined` where they are not known. */
  readonly #columns = new Map<string, Columns | undefined>()
  readonly #planned = new Set<string>()
  /** Models that would write something, and about how much. */
  readonly #coming = new Map<string, Coming>()
  /** Models whose table would become another one. */
  readonly #replaced = new Set<string>()

  constructor(parts: PlannerParts) {
    this.#parts = parts
    this.#declared = declaredColumns(parts.options.plans)
  }

  async plan(pipeline: string, read: ReadModel): Promise<PlannedModel> {
    const { model } = read
    const { tables, views, options } = this.#parts
    this.#planned.add(model.name)
    const table = tables.get(model.name)
    const under = tablesUnder(read, views)
    const follows = under.filter((name) => this.#coming.has(name))
    const absent = under.filter((name) => !tables.has(name) && !this.#coming.has(name))
    const decision = this.#decide(read, under, follows)
    const made = await this.#columnsOf(read)
    const after = 'problem' in made ? undefined : made.columns
    const breaks: Break[] = [
      ...('problem' in made ? [{ what: `model ${model.name}`, problem: made.problem }] : []),
      ...(after === undefined ? [] : await this.#breaks(read, after, table)),
      ...(after === undefined ? [] : brokenConsumers(model.name, after, options.consumers ?? [])),
    ]
    await this.#know(model.name, after ?? table?.columns)
    const columns = columnChanges(table?.columns, after ?? table?.columns ?? [])
    if (columns.removed.length + columns.retyped.length > 0) this.#replaced.add(model.name)
    const isMoving = decision.kind !== 'nothing_new' || follows.length > 0
    const reads = await estimateRun({ read, decision, under, tables, coming: this.#coming })
    if (isMoving && absent.length === 0)
      this.#coming.set(model.name, await estimateComing(decision.kind === 'whole', reads, table))
    return {
      ...{ pipeline, model: model.name, follows, columns, breaks },
      status: statusOf({ read, absent, made, decision, follows }),
      action: absent.length > 0 ? 'nothing' : actionOf(read, decision, follows),
      why:
        absent.length > 0
          ? `${absent.join(', ')} ${absent.length > 1 ? 'are' : 'is'} not there yet`
          : reasonOf(decision, follows),
      versions: under.flatMap((name) => {
        const source = tables.get(name)
        if (source === undefined) return []
        const from = table?.progress.get(readAppId(source)) ?? null
        return [{ table: name, from, to: source.version }]
      }),
      ...{ rowsEstimated: reads.rows, bytesEstimated: reads.bytes },
    }
  }

  /** Saved questions over models that would fail, or answer with other columns, once all of this has run. */
  async statementBreaks(): Promise<readonly Break[]> {
    const { session, options } = this.#parts
    const breaks: Break[] = []
    for (const consumer of options.consumers ?? []) {
      if (!('sql' in consumer)) continue
      const { what, sql, yields = [] } = consumer
      const reads = await session.tablesIn(sql)
      const known = await Promise.all(reads.map((name) => this.#isKnown(name)))
      if (!reads.some((name) => this.#planned.has(name)) || !known.every(Boolean)) continue
      try {
        const { columns } = await session.describe(sql.replace(/[;\s]+$/, ''))
        for (const name of yields)
          if (!columns.some((column) => column.name === name))
            breaks.push({ what, problem: `its answer has no column ${name}` })
      } catch (error) {
        breaks.push({ what, problem: messageOf(error) })
      }
    }
    return breaks
  }

  #decide(read: ReadModel, under: readonly string[], follows: readonly string[]): RunDecision {
    const { model, fingerprint } = read
    const { tables } = this.#parts
    if (model.materialize.kind === 'view') return { kind: 'nothing_new' }
    const { incoming } = model
    const progress = tables.get(model.name)?.progress
    if (incoming !== undefined && this.#replaced.has(incoming) && progress !== undefined)
      return { kind: 'whole', why: 'source_replaced' }
    const reads = under.flatMap((name) => tables.get(name) ?? [])
    // A table that a model above makes for the first time is not there to be compared with.
    if (incoming !== undefined && !tables.has(incoming)) return { kind: 'whole', why: 'first_run' }
    const facts = { model, fingerprint, progress, reads, fullRefresh: false, hasRange: false }
    const decision = decideRun(facts)
    return decision.kind === 'nothing_new' && follows.length > 0 && incoming === undefined
      ? { kind: 'whole', why: 'source_changed' }
      : decision
  }

  /** What the model's SQL would yield; why it cannot run; or neither, where a table above is not known. */
  async #columnsOf(
    read: ReadModel,
  ): Promise<{ readonly columns: Columns | undefined } | { readonly problem: string }> {
    const { session, tables } = this.#parts
    const { model } = read
    for (const name of read.reads) if (!(await this.#isKnown(name))) return { columns: undefined }
    try {
      if (model.incoming !== undefined)
        await session.view(INCOMING, `SELECT * FROM ${model.incoming}`)
      if (read.readsItself)
        await this.#know(model.name, model.columns ?? tables.get(model.name)?.columns)
      await madeRelations(session, read)
      const { columns, problems } = await session.describe(read.sql)
      if (problems.length > 0) return { problem: problems.join('; ') }
      const differences =
        model.columns === undefined ? [] : columnDifferences(columns, model.columns)
      if (differences.length > 0) return { problem: differences.join('; ') }
      return {
        columns: model.materialize.kind === 'snapshot' ? versionedColumns(columns) : columns,
      }
    } catch (error) {
      return { problem: messageOf(error) }
    }
  }

  async #breaks(
    { model }: ReadModel,
    after: Columns,
    table: ModelTable | undefined,
  ): Promise<readonly Break[]> {
    const { session, options } = this.#parts
    const breaks = [...missingColumns(model, after)]
    const isOther = table !== undefined && haveChanged(table.columns, after)
    if (isOther && model.onChange === 'keep')
      breaks.push({
        what: `model ${model.name}`,
        problem: 'its columns change, and onChange is keep: run it with --full-refresh',
      })
    const custom = await readCustomTests(options.engine, model)
    if (custom.size > 0) await this.#know(model.name, after)
    for (const [name, { sql, reads }] of custom) {
      const known = await Promise.all(reads.map((read) => this.#isKnown(read)))
      if (!known.every(Boolean)) continue
      try {
        await session.describe(sql)
      } catch (error) {
        breaks.push({ what: `test ${name} of ${model.name}`, problem: messageOf(error) })
      }
    }
    return breaks
  }

  async #isKnown(name: string): Promise<boolean> {
    if (!this.#columns.has(name)) {
      const columns = this.#parts.tables.get(name)?.columns ?? this.#declared(name)
      if (columns !== undefined) await this.#know(name, columns)
    }
    return this.#columns.get(name) !== undefined
  }

  async #know(name: string, columns: Columns | undefined): Promise<void> {
    this.#columns.set(name, columns)
    if (columns !== undefined) await this.#parts.session.view(name, emptyRowsSql(columns))
  }
}

const haveChanged = (before: Columns, after: Columns) =>
  before.length !== after.length ||
  after.some(({ name, type }) => {
    const old = before.find((column) => column.name === name)
    return old === undefined || !sameColumnType(old.type, type)
  })

function actionOf(
  { model }: ReadModel,
  decision: RunDecision,
  follows: readonly string[],
): PlannedModel['action'] {
  if (model.materialize.kind === 'view') return 'nothing'
  if (decision.kind === 'whole') return 'whole'
  return decision.kind === 'increment' || follows.length > 0 ? 'increment' : 'nothing'
}

function statusOf(facts: {
  readonly read: ReadModel
  readonly absent: readonly string[]
  readonly made: object
  readonly decision: RunDecision
  readonly follows: readonly string[]
}): PlannedModel['status'] {
  const { read, absent, made, decision, follows } = facts
  if ('problem' in made) return 'broken'
  if (absent.length > 0) return 'waiting'
  if (read.model.materialize.kind === 'view') return 'view'
  if (decision.kind === 'whole' && decision.why === 'first_run') return 'new'
  if (decision.kind === 'whole' && decision.why === 'model_changed') return 'changed'
  return decision.kind === 'nothing_new' && follows.length === 0 ? 'current' : 'behind'
}
