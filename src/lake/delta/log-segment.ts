import { SnapshotMissingError, TableBrokenError, TableMissingError } from '../errors.ts'
import type { LogFile } from './log-files.ts'

/** The files whose replay, in this order, gives one snapshot: a checkpoint where there is one, then what came after. */
export interface LogSegment {
  readonly version: number
  readonly checkpoint: CheckpointFiles | undefined
  /** Commits and log compactions after the checkpoint, ascending, without gap or overlap. */
  readonly commits: readonly CommitFile[]
}

export interface CheckpointFiles {
  readonly version: number
  /** Names in the log folder; several for a multi-part checkpoint. */
  readonly names: readonly string[]
}

export type CommitFile = Extract<LogFile, { kind: 'commit' | 'compaction' }>

export interface SegmentRequest {
  /** What the log folder holds, in any order. */
  readonly files: readonly LogFile[]
  /** Default: the newest. */
  readonly version?: number
  /** For messages. */
  readonly table: string
}

/**
 * Choose what to read for a snapshot: the newest complete checkpoint at or before it, then log compactions where they
 * fit, then commits. Pure.
 *
 * @throws TableMissingError when the log is empty
 * @throws SnapshotMissingError when the version was never committed, or the log no longer reaches back to it
 * @throws TableBrokenError when a version in between is missing
 */
export function selectSegment({ files, version, table }: SegmentRequest): LogSegment {
  const commits = new Map<number, CommitFile>()
  for (const file of files) if (file.kind === 'commit') commits.set(file.version, file)
  const checkpoints = completeCheckpoints(files)
  const newest = Math.max(-1, ...commits.keys(), ...checkpoints.map((c) => c.version))
  if (newest < 0)
    throw new TableMissingError(
      `There is no Delta table at ${table}: its _delta_log has no commits and no checkpoint.`,
    )
  if (version !== undefined && version > newest)
    throw new SnapshotMissingError(
      `${table} has no version ${version} yet; the newest is ${newest}.`,
    )
  const target = version ?? newest
  const checkpoint = checkpoints.findLast((candidate) => candidate.version <= target)
  const first = (checkpoint?.version ?? -1) + 1
  return {
    version: target,
    checkpoint,
    commits: chain({ first, target, commits, files, table, reachesBack: checkpoint !== undefined }),
  }
}

/** Complete checkpoints, oldest first, each version once. Parts that miss a sibling are no checkpoint. */
function completeCheckpoints(files: readonly LogFile[]): CheckpointFiles[] {
  const found = new Map<number, CheckpointFiles>()
  const parts = new Map<string, Map<number, string>>()
  for (const file of files) {
    if (file.kind === 'checkpoint') {
      found.set(file.version, { version: file.version, names: [file.name] })
    } else if (file.kind === 'checkpoint_part') {
      const group = `${file.version}/${file.partCount}`
      const names = parts.get(group) ?? new Map<number, string>()
      parts.set(group, names.set(file.part, file.name))
    }
  }
  for (const [group, names] of parts) {
    const [version, partCount] = group.split('/').map(Number) as [number, number]
    if (names.size < partCount || found.has(version)) continue
    const inOrder = [...names].sort(([a], [b]) => a - b).map(([, name]) => name)
    found.set(version, { version, names: inOrder })
  }
  return [...found.values()].sort((a, b) => a.version - b.version)
}

interface Chain {
  readonly first: number
  readonly target: number
  readonly commits: ReadonlyMap<number, CommitFile>
  readonly files: readonly LogFile[]
  readonly table: string
  readonly reachesBack: boolean
}

function chain({ first, target, commits, files, table, reachesBack }: Chain): CommitFile[] {
  const compactions = new Map<number, CommitFile & { kind: 'compaction' }>()
  for (const file of files) {
    if (file.kind !== 'compaction' || file.versionEnd > target) continue
    const other = compactions.get(file.version)
    if (other === undefined || other.versionEnd < file.versionEnd)
      compactions.set(file.version, file)
  }
  const chosen: CommitFile[] = []
  for (let next = first; next <= target; ) {
    const file = compactions.get(next) ?? commits.get(next)
    if (file === undefined)
      throw missingCommit({ next, first, target, table, reachesBack, commits })
    chosen.push(file)
    next = (file.kind === 'compaction' ? file.versionEnd : file.version) + 1
  }
  return chosen
}

function missingCommit(at: Omit<Chain, 'files'> & { readonly next: number }): Error {
  const { next, first, target, table, reachesBack, commits } = at
  const oldest = Math.min(...commits.keys())
  if (next === first && !reachesBack && oldest > first)
    return new SnapshotMissingError(
      `Version ${target} of ${table} cannot be rebuilt: the log begins at version ${oldest} and no ` +
        `checkpoint covers what came before. ${
          commits.has(target)
            ? 'Choose a version at or after the oldest checkpoint.'
            : 'It is no longer kept.'
        }`,
    )
  return new TableBrokenError(
    `The log of ${table} has a gap: version ${next} is missing, yet there are later ones up to ${target}. ` +
      'A commit file was removed or not copied along; restore it, or read an older version.',
  )
}
