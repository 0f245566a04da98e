import { messageOf } from '../../model/errors.ts'
import type { Relation } from '../../model/relation.ts'
import { fitsMetadata, type PreparedAppend, type PrepareOptions, prepareAppend } from './append.ts'
import { writeCheckpoint } from './checkpoint-write.ts'
import type { CommitOutcome } from './commit.ts'
import { appendIntent, type TransactionUpdate } from './conflict.ts'
import { ENGINE_INFO } from './engine-info.ts'
import { type HistoryEntry, readHistory, versionAt } from './history.ts'
import { parseProperties } from './properties.ts'
import { checkAppendable } from './protocol.ts'
import { type DeltaSnapshot, snapshotOf } from './snapshot.ts'
import { type DeltaDeps, TableLog } from './table-log.ts'
import { tableSchemaOf } from './table-schema.ts'

/**
 * A Delta Lake table.
 *
 * In: relations to append, applications' progress to record with them. Out: snapshots by version or time, scan plans,
 * history. Writing has three steps: *prepare* puts data files in place that nobody sees; *stage* makes one commit of them,
 * checked against what others did; *commit* puts the next log file, if it is not there.
 * A crash before the commit leaves orphan files, which vacuum removes; after it, the commit stands. There is
 * nothing in between, and nothing to recover. Checkpoints only speed up reading: a failed one costs time.
 * Any number of processes may read and write a table at once, ours and other engines', as long as its store
 * has a put that only one can win. Specification: PROTOCOL.md of delta-io/delta.
 */
export interface DeltaTable {
  /** Key of the table's folder in the store. */
  readonly location: string
  /** By default the newest. @throws SnapshotMissingError, TableBrokenError, TableUnsupportedError */
  snapshot(options?: SnapshotOptions, signal?: AbortSignal): Promise<DeltaSnapshot>
  /** Write rows into data files of the table, which nobody sees yet. @throws TableMismatchError, TableUnsupportedError */
  prepareAppend(
    relation: Relation,
    options?: PrepareOptions,
    signal?: AbortSignal,
  ): Promise<PreparedAppend>
  /** Make an append visible; `undefined` commits the transactions alone. */
  commitAppend(
    prepared: PreparedAppend | undefined,
    options?: AppendOptions,
    signal?: AbortSignal,
  ): Promise<AppendOutcome>
  /** Newest first. Default limit: 100. */
  history(options?: { readonly limit?: number }, signal?: AbortSignal): Promise<HistoryEntry[]>
  /** Write a checkpoint of the newest version. Returns that version. */
  checkpoint(signal?: AbortSignal): Promise<number>
}

export interface SnapshotOptions {
  readonly version?: number
  /** Milliseconds since 1970: the newest version committed by then. Not with `version`. */
  readonly atMs?: number
}

export interface AppendOptions {
  /** Committed with the data or not at all. */
  readonly transactions?: readonly TransactionUpdate[]
  readonly operationParameters?: Readonly<Record<string, string>>
  /** Default: this program and its version. */
  readonly engineInfo?: string
  readonly userMetadata?: string
  /** Whether to write the checkpoint that falls due with this commit before returning. Default: true. */
  readonly checkpoints?: boolean
}

/** As `CommitOutcome`; a commit is `committed` also when the checkpoint that was due failed. */
export type AppendOutcome =
  | (Extract<CommitOutcome, { status: 'committed' }> & {
      readonly checkpoint: 'not_due' | 'due' | 'written' | { readonly failed: string }
    })
  | Exclude<CommitOutcome, { status: 'committed' }>

/**
 * Open the table at `location`, a key in the store.
 * @throws TableMissingError when there is none
 * @throws TableBrokenError, TableUnsupportedError saying what is wrong with it
 */
export async function openDeltaTable(
  deps: DeltaDeps,
  location: string,
  signal?: AbortSignal,
): Promise<DeltaTable> {
  const log = new TableLog(deps, location)
  snapshotOf(log.context, await log.newest(signal))
  return Object.freeze({
    location,
    snapshot: (options: SnapshotOptions = {}, abort?: AbortSignal) => snapshot(log, options, abort),
    prepareAppend: async (relation: Relation, options?: PrepareOptions, abort?: AbortSignal) =>
      prepareAppend(prepareContext(deps, log), await log.recent(abort), relation, options, abort),
    commitAppend: (
      prepared: PreparedAppend | undefined,
      options: AppendOptions = {},
      abort?: AbortSignal,
    ) => commitAppend(deps, log, prepared, options, abort),
    history: ({ limit = 100 } = {}, abort?: AbortSignal) => readHistory(log.context, limit, abort),
    checkpoint: (abort?: AbortSignal) => checkpoint(deps, log, abort),
  })
}

async function snapshot(
  log: TableLog,
  { version, atMs }: SnapshotOptions,
  signal: AbortSignal | undefined,
): Promise<DeltaSnapshot> {
  const { context } = log
  if (version !== undefined) return snapshotOf(context, await log.at(version, signal))
  const newest = await log.newest(signal)
  if (atMs === undefined) return snapshotOf(context, newest)
  const { inCommitTimestamps } = parseProperties(newest.metadata.configuration)
  const then = await versionAt(context, atMs, inCommitTimestamps, signal)
  return snapshotOf(context, await log.at(then, signal))
}

function prepareContext(deps: DeltaDeps, log: TableLog) {
  return {
    store: deps.store,
    stageFiles: deps.ports.stageFiles,
    scratch: deps.ports.scratch,
    tableKey: log.context.tableKey,
    nowMs: deps.clock.nowMs(),
    newId: log.newId,
  }
}

async function commitAppend(
  deps: DeltaDeps,
  log: TableLog,
  prepared: PreparedAppend | undefined,
  options: AppendOptions,
  signal: AbortSignal | undefined,
): Promise<AppendOutcome> {
  const { tableKey } = log.context
  const before = await log.recent(signal)
  const schema = tableSchemaOf(before, tableKey)
  checkAppendable(before.protocol, { metadata: before.metadata, schema: schema.struct }, tableKey)
  if (prepared !== undefined && !fitsMetadata(prepared.metadata, before.metadata))
    return {
      status: 'conflict',
      reason: 'metadata_changed',
      message: 'the schema or partitioning changed after the files were written',
      version: before.version,
    }
  const partitionBy = JSON.stringify(before.metadata.partitionColumns)
  const outcome = await log.commit(
    {
      commitId: prepared?.commitId ?? log.newId(),
      intent: appendIntent(options.transactions ?? []),
      actions: (prepared?.adds ?? []).map((add) => ({ add })),
      info: {
        operation: 'WRITE',
        operationParameters: { mode: 'Append', partitionBy, ...options.operationParameters },
        operationMetrics: {
          numFiles: String(prepared?.adds.length ?? 0),
          numOutputRows: String(prepared?.rowCount ?? 0),
          numOutputBytes: String(prepared?.bytes ?? 0),
        },
        isBlindAppend: true,
        engineInfo: options.engineInfo ?? ENGINE_INFO,
        ...(options.userMetadata === undefined ? {} : { userMetadata: options.userMetadata }),
      },
    },
    signal,
  )
  if (outcome.status !== 'committed') return outcome
  return { ...outcome, checkpoint: await checkpointIfDue(deps, log, outcome.version, options) }
}

async function checkpointIfDue(
  deps: DeltaDeps,
  log: TableLog,
  version: number,
  { checkpoints = true }: AppendOptions,
): Promise<'not_due' | 'due' | 'written' | { readonly failed: string }> {
  const state = await log.recent()
  const { checkpointInterval } = parseProperties(state.metadata.configuration)
  if (version === 0 || version % checkpointInterval !== 0) return 'not_due'
  if (!checkpoints) return 'due'
  try {
    await checkpoint(deps, log)
    return 'written'
  } catch (error) {
    // The commit stands. The next checkpoint covers this one too.
    return { failed: messageOf(error) }
  }
}

async function checkpoint(deps: DeltaDeps, log: TableLog, signal?: AbortSignal): Promise<number> {
  const { context } = log
  const writer = {
    store: deps.store,
    parquet: deps.ports.parquet,
    scratch: deps.ports.scratch,
    tableKey: context.tableKey,
    nowMs: deps.clock.nowMs(),
  }
  const state = await log.newest(signal)
  log.remember(await writeCheckpoint(writer, state, signal))
  return state.version
}
