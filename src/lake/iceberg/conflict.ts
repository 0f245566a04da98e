import type { Predicate } from '../../model/predicate.ts'
import type { CatalogEntry } from './catalog.ts'
import type { Conflict } from './commit.ts'
import { deleteIndex } from './delete-index.ts'
import type { IcebergTools } from './deps.ts'
import { FileFinder } from './file-finder.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import { mainId, type Snapshot, schemaById } from './metadata.ts'
import { type BoundSpec, boundSpecs, partitionKey } from './partition-spec.ts'
import { type FileChanges, fileChangesOf, snapshotsBetween } from './snapshot-changes.ts'
import { tableLocation } from './table-location.ts'

/** What a commit has looked at and changes: all that others could spoil. An append has looked at nothing. */
export interface CommitIntent {
  /** The state that was looked at. */
  readonly base: CatalogEntry
  /** Whether a new file may hold rows that would have counted; nothing under snapshot isolation. */
  readonly reads: ReadFiles
  /** Data files whose rows were read and are written again elsewhere: who deletes such a row later must not be undone. */
  readonly copied: readonly ManifestEntry[]
  /** Whether the copies keep the age of what they were made from, so that later deletes by value apply to them. Default: false. */
  readonly keepsAge?: boolean
  /** Snapshots in between that are our own, and known to leave these files alone. */
  readonly ours?: ReadonlySet<bigint>
  /** Data files that position deletes are about: they must stay what they are, or go with all their rows. */
  readonly marked: ReadonlySet<string>
}

/**
 * `nothing`: new files do not matter. `where`: those that may hold rows it is true for; without it, any. `partitions`: those of
 * some partitions, by `partitionKey`.
 */
export type ReadFiles =
  | 'nothing'
  | { readonly where: Predicate | undefined }
  | { readonly partitions: ReadonlySet<string> }

/**
 * Whether what others committed since leaves a commit valid on top of it, as Iceberg's reference implementation has it
 * (`validateNoConflictingData`, `validateNoNewDeletesForDataFiles`, `validateDataFilesExist`). Files that a commit removes
 * are not looked at here: staging finds them gone.
 */
export async function conflictSince(
  tools: IcebergTools,
  entry: CatalogEntry,
  intent: CommitIntent,
  signal?: AbortSignal,
): Promise<Conflict | undefined> {
  const { metadata, tableKey } = entry
  const winners = snapshotsBetween(metadata, mainId(intent.base.metadata), mainId(metadata))
  if (winners === undefined) return UNTOLD
  if (winners.length === 0) return undefined
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const specs = boundSpecs(metadata, tableKey)
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const matters = matcherOf(intent.reads, (where) => new FileFinder(schema, specs, where, tableKey))
  for (const winner of winners) {
    if (intent.ours?.has(winner['snapshot-id'])) continue
    const changes = await fileChangesOf({ place, metadata, specs }, winner, signal)
    if (changes === undefined) return UNTOLD
    const found = conflictWith(winner, changes, { intent, matters, specs })
    if (found !== undefined) return found
  }
  return undefined
}

const UNTOLD: Conflict = {
  reason: 'read_files_changed',
  message: 'what became of the snapshot that was read cannot be told any more',
}

function matcherOf(
  reads: ReadFiles,
  finderOf: (where: Predicate | undefined) => FileFinder,
): (file: ContentFile) => boolean {
  if (reads === 'nothing') return () => false
  if ('partitions' in reads)
    return (file) => reads.partitions.has(partitionKey(file.specId, file.partition))
  const finder = finderOf(reads.where)
  return (file) => finder.mayMatch(file)
}

interface Judgement {
  readonly intent: CommitIntent
  readonly matters: (file: ContentFile) => boolean
  readonly specs: ReadonlyMap<number, BoundSpec>
}

function conflictWith(
  winner: Snapshot,
  { addedData, deletedData, addedDeletes }: FileChanges,
  { intent, matters, specs }: Judgement,
): Conflict | undefined {
  const at = `snapshot ${winner['snapshot-id']}, committed meanwhile,`
  const { operation } = winner.summary
  // Rows that were only moved are what they were when we read them.
  const added = operation === 'replace' ? undefined : addedData.find(({ file }) => matters(file))
  if (added !== undefined)
    return {
      reason: 'read_files_changed',
      message: `${at} added ${added.file.path}, which may hold rows that would have counted`,
    }
  // That all rows of a file are gone harms nobody who only wanted some of them gone.
  const copies = new Set(intent.copied.map(({ file }) => file.path))
  const moved = deletedData.find(
    ({ file }) => copies.has(file.path) || (operation !== 'delete' && intent.marked.has(file.path)),
  )
  if (moved !== undefined)
    return {
      reason: 'removed_files_changed',
      message: `${at} removed ${moved.file.path}, rows of which were to be changed`,
    }
  const index = deleteIndex(addedDeletes, specs)
  const copied = intent.copied.find((entry) => {
    const { vector, positions, equalities } = index.deletesFor(entry)
    const byValue = intent.keepsAge === true ? 0 : equalities.length
    return vector !== undefined || positions.length + byValue > 0
  })
  if (copied !== undefined)
    return {
      reason: 'read_files_changed',
      message: `${at} deleted rows of ${copied.file.path}, which were copied from there`,
    }
  return undefined
}
