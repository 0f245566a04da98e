import type { Columns } from '../model/column.ts'
import type { Predicate } from '../model/predicate.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import { ModelInvalidError } from '../sql/models/errors.ts'
import { emptyRowsSql } from '../sql/models/net-changes.ts'
import {
  outsideTouched,
  reachPredicate,
  type TouchedPartitions,
} from '../sql/models/touched-partitions.ts'
import type { ModelTable } from './model-lake.ts'
import type { ModelRun, Scans } from './model-run.ts'

/** Make the tables and views that a model's SQL names, with as much of each as the touched partitions need. */
export async function makeTables(
  run: ModelRun,
  touched: TouchedPartitions | undefined,
): Promise<Scans> {
  const { model, read, target, decision } = run
  const { materialize } = model
  return makeNamedTables(run, {
    names: read.namesTables,
    itself: decision.kind === 'whole' ? undefined : target,
    touched,
    predicateFor: (table) =>
      touched === undefined || materialize.kind !== 'partitions'
        ? undefined
        : reachPredicate(touched, materialize.reads[table.name], table),
  })
}

export interface NamedTables {
  readonly names: readonly string[]
  /** The model's own table where its SQL names it; `undefined` for an empty one. */
  readonly itself: ModelTable | undefined
  readonly touched?: TouchedPartitions | undefined
  /** Which rows of a table are needed. Default: all. */
  readonly predicateFor?: (table: ModelTable) => Predicate | undefined
}

/** Make relations of the session out of tables, those under views too; returns what they scan. */
export async function makeNamedTables(
  run: ModelRun,
  { names, itself, touched, predicateFor }: NamedTables,
): Promise<Scans> {
  const { session, sources, views, read, model } = run
  const scans = new Map<string, readonly ScanPlan[]>()
  const made = new Set<string>()
  const make = async (name: string) => {
    if (made.has(name)) return
    made.add(name)
    const view = views.get(name)
    if (view !== undefined) {
      for (const under of view.reads) await make(under)
      return session.view(name, view.sql)
    }
    const table = sources.get(name)!
    const plan = await table.plan(predicateFor?.(table))
    scans.set(name, [plan])
    return session.scan(name, [plan], plan.columns)
  }
  for (const name of names) await make(name)
  if (!read.readsItself) return scans
  if (itself === undefined) {
    await session.view(model.name, emptyRowsSql(columnsOfNone(run)))
    return scans
  }
  const plan = await itself.plan()
  // The rows that the run leaves as they are.
  if (touched === undefined) await session.scan(model.name, [plan], plan.columns)
  else {
    const scanOf = await session.compile([plan])
    await session.view(model.name, outsideTouched(scanOf(plan), touched.by))
  }
  return scans.set(model.name, [plan])
}

/** The columns of a model's own table that is not there yet. */
function columnsOfNone({ model }: ModelRun): Columns {
  if (model.columns !== undefined) return model.columns
  throw new ModelInvalidError(
    `The SQL of ${model.name} reads its own table, which is not there yet, so that its columns are not known. Say them: columns: record({ … }).`,
  )
}
