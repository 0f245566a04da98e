import type { Clock } from '../model/clock.ts'
import type { Task, TaskContext, TaskReport } from '../model/task.ts'
import type { CompactPlan, MaintenancePlan } from '../pipeline/maintenance.ts'
import {
  type MaintenanceOperation,
  maintenanceOf,
  maintenanceTaskId,
  operationsOf,
} from '../pipeline/maintenance-of.ts'
import type { PipelinePlan } from '../pipeline/plan.ts'
import type { LakeCatalog } from './lake-catalog.ts'
import { dayPredicate, lastDays } from './partition-days.ts'
import type { OptimizeRequest, TableDoor } from './table-door.ts'

// Maintenance of lake tables as tasks. In: what a pipeline says about its tables. Out: one task for each operation on each. Nothing that a
// reader sees changes, and every step is a commit or a removal of its own, so a crash leaves a table that is as good, and less done.

export interface MaintenanceWorld {
  readonly catalog: LakeCatalog
  readonly clock: Clock
  /** Whether bronze tables that a pipeline says nothing about are kept in shape too. */
  readonly maintainsByDefault: boolean
}

/** The maintenance of a pipeline's tables as tasks. Each excludes whatever else writes its table in whole. */
export function maintenanceTasks(world: MaintenanceWorld, plan: PipelinePlan): readonly Task[] {
  return maintenanceOf(plan, world.maintainsByDefault).flatMap((maintenance) =>
    operationsOf(maintenance).map(
      (operation): Task => ({
        id: maintenanceTaskId(maintenance.table, operation),
        pipeline: plan.name,
        kind: 'maintenance',
        after: [],
        tags: ['maintenance'],
        writes: [maintenance.table],
        run: (context) => maintain(world, { maintenance, operation, context }),
      }),
    ),
  )
}

interface Work {
  readonly maintenance: MaintenancePlan
  readonly operation: MaintenanceOperation
  readonly context: TaskContext
}

async function maintain({ catalog, clock }: MaintenanceWorld, work: Work): Promise<TaskReport> {
  const { maintenance, operation, context } = work
  const { table } = maintenance
  if (!(await catalog.names()).includes(table))
    return { status: 'nothing_new', facts: { waiting_for: table } }
  const door = await catalog.door(table)
  switch (operation) {
    case 'compact':
      return compact(door, maintenance.compact!, context)
    case 'expire':
      return expire(door, maintenance, context)
    case 'orphans':
      return removeOrphans(door, maintenance, { context, nowMs: clock.nowMs() })
  }
}

async function compact(
  door: TableDoor,
  plan: CompactPlan,
  context: TaskContext,
): Promise<TaskReport> {
  const { signal, progress } = context
  const { targetBytes: fileBytesTarget, inputFilesMin: fileCountMin, order } = plan
  const days = plan.lastDays === undefined ? undefined : lastDays(context.logicalMs, plan.lastDays)
  const small = { fileBytesTarget, fileCountMin }
  const where = days === undefined ? undefined : dayPredicate(await door.state(), days)
  if (days !== undefined && where === undefined)
    context.log(`${door.name} is not laid by day, so all of it is looked at.`)
  const bounded = where === undefined ? {} : { where }
  const request: Omit<OptimizeRequest, 'dryRun'> | undefined =
    order === undefined
      ? { ...small, ...bounded }
      : await orderedRequest(door, { plan, days: where === undefined ? undefined : days, signal })
  if (request === undefined) return { status: 'nothing_new', facts: {} }
  const { groups, version } = await door.optimize(
    { ...request, dryRun: false, onProgress: ({ done, count }) => progress(done, count) },
    signal,
  )
  const written = groups.filter(({ status }) => status === 'committed')
  const sum = (of: (group: (typeof groups)[number]) => number) =>
    written.reduce((total, group) => total + of(group), 0)
  return {
    status: written.length > 0 ? 'done' : 'nothing_new',
    facts: {
      files_removed: sum(({ files }) => files.length),
      files_written: sum(({ addedFileCount }) => addedFileCount),
      bytes_read: sum(({ bytes }) => bytes),
      bytes_written: sum(({ addedBytes }) => addedBytes),
      groups: written.length,
      // Others changed the same files meanwhile: the next run looks again.
      groups_left: groups.length - written.length,
      version: version === undefined ? null : String(version),
    },
  }
}

/** Rows of a day are laid anew when enough small files have come to it; otherwise they lie as they should already. */
async function orderedRequest(
  door: TableDoor,
  {
    plan: { targetBytes, inputFilesMin, order },
    days,
    signal,
  }: {
    readonly plan: CompactPlan
    readonly days: readonly number[] | undefined
    readonly signal: AbortSignal
  },
): Promise<Omit<OptimizeRequest, 'dryRun'> | undefined> {
  const small = { fileBytesTarget: targetBytes, fileCountMin: inputFilesMin, dryRun: true }
  const hasWork = async (of: readonly number[] | undefined) => {
    const where = of === undefined ? undefined : dayPredicate(await door.state(), of)
    const { groups } = await door.optimize({ ...small, ...(where && { where }) }, signal)
    return groups.length > 0
  }
  if (!(await hasWork(days))) return undefined
  const touched: number[] = []
  for (const day of days ?? []) if (await hasWork([day])) touched.push(day)
  const where = days === undefined ? undefined : dayPredicate(await door.state(), touched)
  const { kind, columns } = order!
  return {
    fileBytesTarget: targetBytes,
    ...(where && { where }),
    ...(kind === 'sort' ? { sortBy: columns } : { zOrderBy: columns }),
  }
}

const DAY_MS = 86_400_000
/** Between a commit's own time and the one that it gives to what it removed; also the least that a log is kept. */
const MARGIN_MS = 3_600_000

async function expire(
  door: TableDoor,
  { expire: plan }: MaintenancePlan,
  { signal }: TaskContext,
): Promise<TaskReport> {
  const { olderThanDays, keep } = plan!
  // For Delta, old versions stop being known here; the files that only they need go with the orphans.
  const request = { ageMaxMs: Math.max(olderThanDays * DAY_MS, MARGIN_MS), countMin: keep }
  const { status, snapshotIds, files, bytes } = await door.expire(
    { ...request, dryRun: false },
    signal,
  )
  const isDone = status === 'done' && snapshotIds.length + files.length > 0
  return {
    status: isDone ? 'done' : 'nothing_new',
    facts: {
      snapshots_removed: snapshotIds.length,
      files_removed: files.length,
      bytes_removed: bytes,
    },
  }
}

/** On this many versions a retention is a guess; nobody asks for more. */
const KEEP_COUNT_MAX = 10_000

async function removeOrphans(
  door: TableDoor,
  { orphans, expire: kept }: MaintenancePlan,
  { context: { signal, progress }, nowMs }: { context: TaskContext; nowMs: number },
): Promise<TaskReport> {
  let ageMinMs = orphans!.olderThanDays * DAY_MS
  if (door.format === 'delta') {
    // For Delta, files that only old versions need are removed here: as long as versions are to be kept, so are they. What the oldest of
    // those needs and the newest does not was removed by a commit after it.
    const toKeep = await door.history(Math.min(KEEP_COUNT_MAX, kept?.keep ?? 1))
    const afterOldest = toKeep.at(-2)
    const neededMs = afterOldest === undefined ? 0 : nowMs - afterOldest.committedMs + MARGIN_MS
    ageMinMs = Math.max(ageMinMs, (kept?.olderThanDays ?? 0) * DAY_MS, neededMs)
  }
  const { files, bytes, isPartial } = await door.vacuum(
    {
      ageMinMs,
      allowsShortAge: true,
      dryRun: false,
      onProgress: ({ done, count }) => progress(done, count),
    },
    signal,
  )
  return {
    status: files.length > 0 ? 'done' : 'nothing_new',
    facts: { files_removed: files.length, bytes_removed: bytes, more_left: isPartial },
  }
}
