import { SnapshotMissingError } from '../errors.ts'
import type { CommitInfoAction } from './actions.ts'
import { type LogReader, listCommits, readCommit } from './log-read.ts'

/** One commit, as its writer described it. */
export interface HistoryEntry {
  readonly version: number
  /** Milliseconds since 1970: the in-commit timestamp, else what the writer says, else the file's age. */
  readonly timestampMs: number
  readonly operation: string | undefined
  readonly operationParameters: Readonly<Record<string, unknown>>
  readonly operationMetrics: Readonly<Record<string, unknown>>
  readonly isBlindAppend: boolean | undefined
  readonly engineInfo: string | undefined
  readonly userMetadata: string | undefined
  readonly addedFileCount: number
  readonly removedFileCount: number
}

/** The newest commits first, as far back as the log is kept. */
export async function readHistory(
  reader: LogReader,
  limit: number,
  signal?: AbortSignal,
): Promise<HistoryEntry[]> {
  const commits = await listCommits(reader, signal)
  const entries: HistoryEntry[] = []
  for (const { version, info } of commits.toReversed().slice(0, limit)) {
    const actions = await readCommit(reader, version, signal)
    if (actions === undefined) break
    const commitInfo: CommitInfoAction = actions.find((a) => a.commitInfo)?.commitInfo ?? {}
    entries.push({
      version,
      timestampMs: commitInfo.inCommitTimestamp ?? commitInfo.timestamp ?? info.modifiedMs,
      operation: commitInfo.operation,
      operationParameters: commitInfo.operationParameters ?? {},
      operationMetrics: commitInfo.operationMetrics ?? {},
      isBlindAppend: commitInfo.isBlindAppend,
      engineInfo: commitInfo.engineInfo,
      userMetadata: commitInfo.userMetadata,
      addedFileCount: actions.filter((action) => action.add).length,
      removedFileCount: actions.filter((action) => action.remove).length,
    })
  }
  return entries
}

/**
 * The version that was current at a moment: the last one committed at or before it. A commit's time is its in-commit
 * timestamp where it has one, else its file's modification time, moved on where clocks stepped back so that
 * times only grow (PROTOCOL.md, "In-Commit Timestamps").
 * @throws SnapshotMissingError when the log does not reach back that far
 */
export async function versionAt(
  reader: LogReader,
  atMs: number,
  usesInCommitTimestamps: boolean,
  signal?: AbortSignal,
): Promise<number> {
  let chosen: number | undefined
  let before = Number.NEGATIVE_INFINITY
  for (const { version, info } of await listCommits(reader, signal)) {
    const timestampMs = usesInCommitTimestamps
      ? ((await inCommitTimestamp(reader, version, signal)) ?? info.modifiedMs)
      : info.modifiedMs
    before = Math.max(timestampMs, before + 1)
    if (before > atMs) break
    chosen = version
  }
  if (chosen === undefined)
    throw new SnapshotMissingError(
      `${reader.tableKey} has no version as old as ${new Date(atMs).toISOString()}: it was made ` +
        'later, or its log is no longer kept that far back.',
    )
  return chosen
}

async function inCommitTimestamp(
  reader: LogReader,
  version: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const actions = await readCommit(reader, version, signal)
  return actions?.find((action) => action.commitInfo)?.commitInfo?.inCommitTimestamp
}
