import { type ObjectInfo, ObjectMissingError, type ObjectStore } from '../../model/object-store.ts'
import { SnapshotMissingError } from '../errors.ts'
import type { ParquetPort } from '../parquet-port.ts'
import { parseActionLines } from './action-json.ts'
import type { Action } from './actions.ts'
import { readCheckpoint } from './checkpoint-read.ts'
import {
  commitName,
  LAST_CHECKPOINT,
  LOG_FOLDER,
  type LogFile,
  paddedVersion,
  parseLogFile,
} from './log-files.ts'
import { LogReplay } from './log-replay.ts'
import { type LogSegment, selectSegment } from './log-segment.ts'
import type { LogState } from './log-state.ts'
import { tableUrlOf } from './table-path.ts'

/** How many commit files are fetched at once. */
const FETCH_CONCURRENCY = 16
/** How many commits are looked for one by one before it pays to list the log instead. */
const PROBE_COUNT_MAX = 32

/** Reads the log of one table. Keeps nothing. */
export interface LogReader {
  readonly store: ObjectStore
  readonly parquet: ParquetPort
  readonly tableKey: string
}

/** The state at a version, by default the newest. @throws as `selectSegment`, `LogReplay.finish` and the store do */
export async function readLog(
  reader: LogReader,
  version?: number,
  signal?: AbortSignal,
): Promise<LogState> {
  const files = await listForSnapshot(reader, version, signal)
  const segment = selectSegment({
    files,
    table: reader.tableKey,
    ...(version === undefined ? {} : { version }),
  })
  return replaySegment(reader, segment, signal)
}

/**
 * The newest state, from one we already have: looks for the next commit until there is none. Sound as long as nobody
 * removes commits after `state.version` meanwhile; log clean-up keeps them for days.
 */
export async function readLogSince(
  reader: LogReader,
  state: LogState,
  signal?: AbortSignal,
): Promise<LogState> {
  const commits: { version: number; actions: Action[] }[] = []
  for (let version = state.version + 1; ; version += 1) {
    if (commits.length === PROBE_COUNT_MAX) return readLog(reader, undefined, signal)
    const actions = await readCommit(reader, version, signal)
    if (actions === undefined) break
    commits.push({ version, actions })
  }
  if (commits.length === 0) return state
  const replay = new LogReplay(tableUrlOf(reader.store, reader.tableKey), { state })
  for (const { version, actions } of commits) replay.applyCommit(version, actions)
  return replay.finish(reader.tableKey)
}

/** The actions of one commit; `undefined` when there is no such commit. */
export async function readCommit(
  { store, tableKey }: LogReader,
  version: number,
  signal?: AbortSignal,
): Promise<Action[] | undefined> {
  const key = commitKey(tableKey, version)
  try {
    return parseActionLines(new TextDecoder().decode(await store.get(key, signal)), key)
  } catch (error) {
    if (error instanceof ObjectMissingError) return undefined
    throw error
  }
}

export const commitKey = (tableKey: string, version: number): string =>
  `${tableKey}/${LOG_FOLDER}/${commitName(version)}`

/** Commits that still have their file, ascending, with what the store knows of them. */
export async function listCommits(
  { store, tableKey }: LogReader,
  signal?: AbortSignal,
): Promise<{ version: number; info: ObjectInfo }[]> {
  const commits: { version: number; info: ObjectInfo }[] = []
  for await (const { file, info } of listLog(store, tableKey, undefined, signal))
    if (file.kind === 'commit') commits.push({ version: file.version, info })
  return commits
}

async function replaySegment(
  reader: LogReader,
  { checkpoint, commits }: LogSegment,
  signal: AbortSignal | undefined,
): Promise<LogState> {
  const { store, tableKey } = reader
  const replay = new LogReplay(
    tableUrlOf(store, tableKey),
    checkpoint === undefined ? {} : { checkpoint },
  )
  if (checkpoint !== undefined) {
    await readCheckpoint(reader, checkpoint, replay, signal)
    // Checkpoints must hold both (PROTOCOL.md, "Checkpoints"); what came before one no longer counts.
    replay.finish(tableKey)
  }
  for (let start = 0; start < commits.length; start += FETCH_CONCURRENCY) {
    const batch = commits.slice(start, start + FETCH_CONCURRENCY)
    const fetched = await Promise.all(
      batch.map(({ name }) => store.get(`${tableKey}/${LOG_FOLDER}/${name}`, signal)),
    )
    for (const [index, file] of batch.entries()) {
      const actions = parseActionLines(
        new TextDecoder().decode(fetched[index]!),
        `${tableKey}/${LOG_FOLDER}/${file.name}`,
      )
      replay.applyCommit(file.kind === 'commit' ? file.version : file.versionEnd, actions)
    }
  }
  return replay.finish(tableKey)
}

async function listForSnapshot(
  { store, tableKey }: LogReader,
  version: number | undefined,
  signal: AbortSignal | undefined,
): Promise<LogFile[]> {
  const hint = await readHint(store, tableKey, signal)
  if (hint !== undefined && hint <= (version ?? hint)) {
    const files = await collect(listLog(store, tableKey, hint, signal))
    // A stale or lying hint must not hide a table: it counts only if the checkpoint is there.
    const isThere = files.some(
      (file) => file.version === hint && file.kind.startsWith('checkpoint'),
    )
    if (isThere && isReadable(files, version, tableKey)) return files
  }
  return collect(listLog(store, tableKey, undefined, signal))
}

/** Whether a part of the log is enough; a hint may point to a multi-part checkpoint that lacks a part. */
function isReadable(files: readonly LogFile[], version: number | undefined, table: string) {
  try {
    selectSegment({ files, table, ...(version === undefined ? {} : { version }) })
    return true
  } catch (error) {
    if (error instanceof SnapshotMissingError) return false
    throw error
  }
}

/** The version in `_last_checkpoint`; a missing or damaged hint is no hint (PROTOCOL.md, "Last Checkpoint File"). */
export async function readHint(
  store: ObjectStore,
  tableKey: string,
  signal?: AbortSignal,
): Promise<number | undefined> {
  try {
    const bytes = await store.get(`${tableKey}/${LOG_FOLDER}/${LAST_CHECKPOINT}`, signal)
    const hint: { readonly version?: unknown } | null = JSON.parse(new TextDecoder().decode(bytes))
    return Number.isSafeInteger(hint?.version) ? (hint?.version as number) : undefined
  } catch (error) {
    if (error instanceof ObjectMissingError || error instanceof SyntaxError) return undefined
    throw error
  }
}

async function* listLog(
  store: ObjectStore,
  tableKey: string,
  from: number | undefined,
  signal: AbortSignal | undefined,
): AsyncIterable<{ file: LogFile; info: ObjectInfo }> {
  const prefix = `${tableKey}/${LOG_FOLDER}/`
  const options = { prefix, delimiter: '/' } as const
  const startAfter = from === undefined ? {} : { startAfter: prefix + paddedVersion(from) }
  for await (const info of store.list({ ...options, ...startAfter }, signal)) {
    const file = parseLogFile(info.key.slice(prefix.length))
    if (file !== undefined) yield { file, info }
  }
}

async function collect(listing: AsyncIterable<{ file: LogFile }>): Promise<LogFile[]> {
  const files: LogFile[] = []
  for await (const { file } of listing) files.push(file)
  return files
}
