import { ChangesMissingError } from '../lake/errors.ts'
import { createIcebergTable } from '../lake/iceberg/create.ts'
import type { IcebergDeps } from '../lake/iceberg/deps.ts'
import type { EditOutcome } from '../lake/iceberg/edit-rows.ts'
import type { SchemaChange } from '../lake/iceberg/evolve-schema.ts'
import type { IcebergSnapshot } from '../lake/iceberg/snapshot-view.ts'
import { type IcebergTable, openIcebergTable } from '../lake/iceberg/table.ts'
import type { Columns } from '../model/column.ts'
import { sameColumnType } from '../model/column.ts'
import { messageOf } from '../model/errors.ts'
import type { ScanFile, ScanPlan } from '../model/scan-plan.ts'
import { ModelConflictError } from '../sql/models/errors.ts'
import type { NetChanges } from '../sql/models/net-changes.ts'
import type { Progress, ProgressStep } from '../sql/models/run-decision.ts'
import { tableKey } from './lake-home.ts'
import type { ModelTable, ModelWrite, NewModelTable } from './model-lake.ts'
import {
  type AppendMetrics,
  checkMade,
  committed,
  mergeOf,
  writtenRows,
} from './model-statements.ts'

/** Rows that change are marked beside their files, not copied with their neighbours. */
const EDITED_TABLE_PROPERTIES = {
  'write.delete.mode': 'merge-on-read',
  'write.update.mode': 'merge-on-read',
  'write.merge.mode': 'merge-on-read',
}

/** Counts how often a model's table was made another one, so that who follows its changes begins anew. */
const REPLACED_APP_ID = 'mekong/model/replaced'

function replacedStep(write: ModelWrite, progress: Progress): readonly ProgressStep[] {
  if (write.kind !== 'replace' || !write.isOther) return []
  const standing = progress.get(REPLACED_APP_ID)
  return [{ appId: REPLACED_APP_ID, version: (standing ?? 0) + 1, expected: standing ?? null }]
}

/** Make the empty Iceberg table of a model. */
export async function createIcebergModelTable(
  deps: IcebergDeps,
  table: NewModelTable,
): Promise<void> {
  const { name, columns, partitionBy, properties } = table
  const outcome = await createIcebergTable(deps, name, {
    columns,
    location: tableKey(name),
    partitionBy: partitionBy.map((column) => ({ column })),
    properties: { ...EDITED_TABLE_PROPERTIES, ...properties },
  })
  checkMade(name, outcome)
}

/** An Iceberg table as models see it. Its version is the sequence number. @throws TableMissingError */
export async function icebergModelTable(deps: IcebergDeps, name: string): Promise<ModelTable> {
  const table = await openIcebergTable(deps, name)
  const snapshot = await table.snapshot()
  const { sequenceNumber: version, columns, partitionBy } = snapshot
  const progress = new Map(snapshot.transactions())
  const id = `${snapshot.id}/${progress.get(REPLACED_APP_ID) ?? 0}`
  return {
    ...{ name, id, version, columns, partitionBy, progress },
    plan: (predicate) => snapshot.plan(predicate === undefined ? {} : { predicate }),
    async changesSince(from, upTo = version) {
      if (upTo === version) return changesBetween(table, snapshot, from)
      const id = ancestorAt(snapshot, upTo)
      if (id === undefined) return undefined
      return changesBetween(table, await table.snapshot({ snapshotId: id }), from)
    },
    async size() {
      const plan = await snapshot.plan()
      return { rows: plan.rowCount, bytes: plan.files.reduce((sum, { bytes }) => sum + bytes, 0) }
    },
    async write(write, steps, signal) {
      const all = [...steps, ...replacedStep(write, progress)]
      const done = committed(name, await commit(table, write, all, signal))
      const now = done.status === 'committed' ? done.sequenceNumber : version
      return writtenRows(now, done.metrics)
    },
  }
}

/**
 * What files came and went between two snapshots. A file that is in both counts only where rows of it were deleted. `undefined` when
 * the earlier snapshot has expired, or rows went that have other columns now.
 */
async function changesBetween(
  table: IcebergTable,
  after: IcebergSnapshot,
  from: number,
): Promise<NetChanges | undefined> {
  const { columns } = after
  const earlier = ancestorAt(after, from)
  if (earlier === undefined && from > 0) return undefined
  const appended = await onlyAppended(table, after, earlier)
  if (appended !== undefined) {
    const plus = appended.files.length === 0 ? [] : [appended]
    return { columns, plus, minus: [], feed: [] }
  }
  const plan = await after.plan()
  const before =
    earlier === undefined ? undefined : await (await table.snapshot({ snapshotId: earlier })).plan()
  const stateOf = (scan: ScanPlan) =>
    new Map(scan.files.map((file) => [file.location, { file, state: deletesOf(scan, file) }]))
  const [old, now] = [stateOf(before ?? { ...plan, files: [] }), stateOf(plan)]
  const differing = (a: typeof old, b: typeof old) =>
    [...a].flatMap(([location, { file, state }]) =>
      b.get(location)?.state === state ? [] : [file],
    )
  const [came, went] = [differing(now, old), differing(old, now)]
  if (went.length > 0 && !haveSameColumns(before!.columns, plan.columns)) return undefined
  return {
    columns,
    plus: came.length === 0 ? [] : [{ ...plan, files: came, rowCount: undefined }],
    minus: went.length === 0 ? [] : [{ ...before!, files: went, rowCount: undefined }],
    feed: [],
  }
}

/** The difference where nothing else happened in between: then the manifests of those appends tell it, whatever the size of the table. */
async function onlyAppended(
  table: IcebergTable,
  after: IcebergSnapshot,
  earlier: bigint | undefined,
): Promise<ScanPlan | undefined> {
  const { snapshotId: to } = after
  if (to === undefined) return undefined
  try {
    const { plan, others } = await table.appendedSince(earlier ?? null, { to })
    // Of an older snapshot the columns may be others than the table has now.
    return others.length === 0 && haveSameColumns(plan.columns, after.columns) ? plan : undefined
  } catch (error) {
    if (error instanceof ChangesMissingError) return undefined
    throw error
  }
}

/** What is deleted of a file, as a text to compare by. Positions only grow, so that their number says which they are. */
function deletesOf({ equalityDeletes = [] }: ScanPlan, file: ScanFile): string {
  const byValue = (file.equalityDeletes ?? []).map((index) => equalityDeletes[index]!.location)
  return JSON.stringify([file.deletedRows?.positions.length ?? 0, byValue])
}

const haveSameColumns = (a: Columns, b: Columns) =>
  a.length === b.length &&
  a.every(
    ({ name, type }, index) => name === b[index]!.name && sameColumnType(type, b[index]!.type),
  )

/** Id of the snapshot of this line that has the sequence number. */
function ancestorAt({ snapshotId, metadata }: IcebergSnapshot, sequence: number) {
  const byId = new Map(metadata.snapshots.map((each) => [each['snapshot-id'], each]))
  let at = snapshotId === undefined ? undefined : byId.get(snapshotId)
  while (at !== undefined && at['sequence-number'] > sequence) {
    const parent: bigint | undefined = at['parent-snapshot-id']
    at = parent === undefined ? undefined : byId.get(parent)
  }
  return at?.['sequence-number'] === sequence ? at['snapshot-id'] : undefined
}

type Outcome = Awaited<ReturnType<IcebergTable['commitAppend']>>
type Committed = EditOutcome | (Outcome & { readonly metrics?: AppendMetrics })

async function commit(
  table: IcebergTable,
  write: ModelWrite,
  steps: readonly ProgressStep[],
  signal: AbortSignal,
): Promise<Committed> {
  const options = { transactions: steps }
  switch (write.kind) {
    case 'nothing':
      return table.commitAppend(undefined, options, signal)
    case 'append': {
      const prepared = await table.prepareAppend(write.rows, {}, signal)
      const bytes = prepared.files.reduce((sum, file) => sum + file.bytes, 0)
      const outcome = await table.commitAppend(prepared, options, signal)
      const metrics = { rows: write.rows.rowCount, files: prepared.files.length, bytes }
      return { ...outcome, metrics }
    }
    case 'replace':
      if (write.isOther) await changeSchema(table, write, signal)
      return table.overwrite(write.rows, options, signal)
    case 'replace_where':
      return table.overwrite(write.rows, { ...options, where: write.where }, signal)
    case 'merge':
    case 'upsert_and_delete':
      return table.merge({ ...options, ...mergeOf(write) }, signal)
  }
}

/**
 * The columns of a table that is about to be made anew. Its own commit, before the rows': a crash in between leaves new columns without
 * values, and the next run does all of it again, because nothing says yet that the new SQL has run.
 */
async function changeSchema(
  table: IcebergTable,
  { columns, partitionBy }: Extract<ModelWrite, { kind: 'replace' }>,
  signal: AbortSignal,
): Promise<void> {
  const { columns: old } = await table.snapshot(undefined, signal)
  const stays = (name: string) => {
    const [before, after] = [old, columns].map((all) => all.find((column) => column.name === name))
    return before !== undefined && after !== undefined && sameColumnType(before.type, after.type)
  }
  const gone = old.filter(({ name }) => !stays(name))
  // A table cannot be without columns in between, nor have two of one name.
  const aside = (name: string) => `${name}__replaced`
  const changes: SchemaChange[] = [
    ...gone.map(({ name }) => ({ kind: 'rename', path: [name], name: aside(name) }) as const),
    ...columns
      .filter(({ name }) => !stays(name))
      .map((column) => ({ kind: 'add', column }) as const),
    ...gone.map(({ name }) => ({ kind: 'drop', path: [aside(name)] }) as const),
  ]
  // What rows are laid by must not be dropped, so the old partitioning goes first.
  const outcomes = [
    await table.changePartitioning([], signal),
    await table.changeColumns(changes, signal),
    await table.changePartitioning(
      partitionBy.map((column) => ({ column })),
      signal,
    ),
  ]
  for (const outcome of outcomes) {
    if (outcome.status === 'committed') continue
    const why = outcome.status === 'conflict' ? outcome.message : messageOf(outcome.cause)
    throw new ModelConflictError(
      `Changing the columns of ${table.name}: ${why}. The next run begins from what is there.`,
    )
  }
}
