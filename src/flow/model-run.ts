import type { Relation } from '../model/relation.ts'
import type { ScanPlan } from '../model/scan-plan.ts'
import type { SqlModel } from '../model/sql-model.ts'
import type { TaskContext } from '../model/task.ts'
import type { ModelSession } from '../sql/models/model-session.ts'
import type { ReadModel } from '../sql/models/read-model.ts'
import type { SparkRelation } from '../sql/models/rows-of-spark.ts'
import type { RunDecision } from '../sql/models/run-decision.ts'
import type { ModelTable } from './model-lake.ts'

/** One run of one model, as it stands before a row is read. All of its steps go by this. */
export interface ModelRun {
  readonly model: SqlModel
  readonly read: ReadModel
  /** View models that this one may read, by name. */
  readonly views: ReadonlyMap<string, ReadModel>
  readonly context: Pick<TaskContext, 'logicalMs' | 'signal' | 'range' | 'versions'>
  readonly decision: Exclude<RunDecision, { kind: 'nothing_new' }>
  /** Every table it reads, each fixed at one version. */
  readonly sources: ReadonlyMap<string, ModelTable>
  /** Its own table; `undefined` before the first run. */
  readonly target: ModelTable | undefined
  /** Where its SQL finds what it names. */
  readonly session: ModelSession
}

/** What of the lake is behind the relations of a session, by the name that SQL has for them. */
export type Scans = ReadonlyMap<string, readonly ScanPlan[]>

/** Runs a statement that names what the model's SQL names, wherever the model runs. `also` are further relations of the session, those that others name first. */
export type RunSql = (sql: string, also?: readonly SparkRelation[]) => Promise<Relation>

/** Tables that a model reads, through views too. */
export function tablesUnder(
  read: ReadModel,
  views: ReadonlyMap<string, ReadModel>,
): readonly string[] {
  const found = new Set<string>()
  const visit = (name: string) => {
    const view = views.get(name)
    if (view === undefined) found.add(name)
    else for (const under of view.reads) visit(under)
  }
  for (const name of read.reads) visit(name)
  return [...found].sort()
}
