import { createHash } from 'node:crypto'
import { type DeltaTable, openDeltaTable } from '../lake/delta/table.ts'
import type { DeltaDeps } from '../lake/delta/table-log.ts'
import { TableMissingError } from '../lake/errors.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { SyncPlan } from '../pipeline/sync.ts'
import type { SyncTarget } from '../serve/sync-target.ts'
import type { ComputeEngine } from '../sql/duckdb/engine.ts'
import { tableKey } from './lake-home.ts'
import { runSync, type SyncReport, type SyncWorld } from './lake-to-serve.ts'

/** What syncs are built from: one of each for the whole process. */
export interface SyncTaskWorld {
  readonly engine: ComputeEngine
  readonly delta: DeltaDeps
  readonly targets: SyncTargets
}

/** The targets of syncs, by configuration embedded or on servers. */
export interface SyncTargets {
  /** A target of one sync; not opened yet. */
  target(pipeline: string, sync: SyncPlan): Promise<OpenableTarget>
}

export type OpenableTarget =
  | {
      readonly status: 'ready'
      readonly target: SyncTarget
      /** Of what makes items look as they do beside the plan, such as the embedding model. */
      readonly variant: string
    }
  /** This machine has no engine for it, and the platform does without. */
  | { readonly status: 'off'; readonly reason: string }

/** The syncs of a pipeline as tasks, each after the models that fill its tables. */
export function syncTasks(world: SyncTaskWorld, plan: PipelinePlan): readonly Task[] {
  const made = new Set(plan.models.map(({ name }) => name))
  return plan.syncs.map((sync): Task => {
    const id = syncTaskId(plan.name, sync.name)
    return {
      id,
      pipeline: plan.name,
      kind: 'sync',
      after: sync.from.map(({ table }) => table).filter((table) => made.has(table)),
      tags: sync.tags,
      writes: [id],
      run: (context) => runTask(world, plan.name, sync, context),
    }
  })
}

export const syncTaskId = (pipeline: string, sync: string): string => `sync/${pipeline}/${sync}`

async function runTask(
  world: SyncTaskWorld,
  pipeline: string,
  sync: SyncPlan,
  { signal, fullRefresh, progress }: TaskContext,
): Promise<TaskReport> {
  const found = await world.targets.target(pipeline, sync)
  if (found.status === 'off') return { status: 'nothing_new', facts: { off: found.reason } }
  const { target, variant } = found
  const job = { plan: sync, target, shape: shapeOf(sync, variant), fullRefresh, signal }
  try {
    return reportOf(await runSync(syncWorld(world), { ...job, onProgress: progress }))
  } finally {
    await target.close()
  }
}

/** The lake as a sync reads it. */
export function syncWorld({ engine, delta }: Pick<SyncTaskWorld, 'engine' | 'delta'>): SyncWorld {
  return {
    engine,
    async openTable(name): Promise<DeltaTable | undefined> {
      try {
        return await openDeltaTable(delta, tableKey(name))
      } catch (error) {
        if (error instanceof TableMissingError) return undefined
        throw error
      }
    },
  }
}

/** Changes when the target must be filled anew: other collections or columns, another key, another variant. */
export function shapeOf({ target, from }: SyncPlan, variant: string): string {
  const sources = from.map(({ table, key, reads, items }) => [table, key, reads, String(items)])
  const text = JSON.stringify([target.collections, sources, variant])
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

/** A run in numbers. */
function reportOf({
  isNew,
  details,
  seen,
  changed,
  saved,
  sent,
  put,
  removed,
}: SyncReport): TaskReport {
  return {
    status: isNew ? 'done' : 'nothing_new',
    facts: { seen, changed, saved, sent, put, removed, ...details },
  }
}
