import { messageOf } from '../../model/errors.ts'
import { writeCheckpoint } from './checkpoint-write.ts'
import type { CommitOutcome, CommitRequest } from './commit.ts'
import type { TransactionUpdate } from './conflict.ts'
import { ENGINE_INFO } from './engine-info.ts'
import { cleanLog } from './log-cleanup.ts'
import type { OpenTable } from './open-table.ts'
import { parseProperties } from './properties.ts'

/** What every commit can carry besides its own. */
export interface CommitOptions {
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
export type TableCommitOutcome =
  | (Extract<CommitOutcome, { status: 'committed' }> & {
      readonly checkpoint: 'not_due' | 'due' | 'written' | { readonly failed: string }
    })
  | Exclude<CommitOutcome, { status: 'committed' }>

/** Commit, and write the checkpoint that falls due. */
export async function finishCommit(
  table: OpenTable,
  request: CommitRequest,
  options: CommitOptions,
  signal?: AbortSignal,
): Promise<TableCommitOutcome> {
  const info = {
    ...request.info,
    operationParameters: { ...request.info.operationParameters, ...options.operationParameters },
    engineInfo: options.engineInfo ?? ENGINE_INFO,
    ...(options.userMetadata === undefined ? {} : { userMetadata: options.userMetadata }),
  }
  const outcome = await table.log.commit({ ...request, info }, signal)
  if (outcome.status !== 'committed') return outcome
  return { ...outcome, checkpoint: await checkpointIfDue(table, outcome.version, options) }
}

async function checkpointIfDue(
  table: OpenTable,
  version: number,
  { checkpoints = true }: CommitOptions,
): Promise<'not_due' | 'due' | 'written' | { readonly failed: string }> {
  const state = await table.log.recent()
  const { checkpointInterval, cleansLog } = parseProperties(state.metadata.configuration)
  if (version === 0 || version % checkpointInterval !== 0) return 'not_due'
  if (!checkpoints) return 'due'
  try {
    await checkpointNow(table)
    if (cleansLog) await cleanLog(table)
    return 'written'
  } catch (error) {
    // The commit stands. The next checkpoint covers this one too.
    return { failed: messageOf(error) }
  }
}

/** Write a checkpoint of the newest version. Returns that version. */
export async function checkpointNow(
  { deps, log }: OpenTable,
  signal?: AbortSignal,
): Promise<number> {
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
