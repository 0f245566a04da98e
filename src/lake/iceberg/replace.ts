import type { Predicate } from '../../model/predicate.ts'
import { TableMismatchError } from '../errors.ts'
import type { CatalogEntry } from './catalog.ts'
import type { Conflict, StagedSnapshot } from './commit.ts'
import type { IcebergTools } from './deps.ts'
import { FileFinder } from './file-finder.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { mergeManifests, mergeOptions } from './manifest-merge.ts'
import { allEntries, manifestsOf } from './manifest-read.ts'
import { type Snapshot, schemaById } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { putManifest } from './put-manifest.ts'
import { tableLocation } from './table-location.ts'

/**
 * Which files a commit takes away: all, those whose every row matches a predicate, or some by their paths (`ContentFile.path`).
 * A predicate must not cut through a file: deleting some rows of one is not done here.
 */
export type Removal =
  | 'everything'
  | { readonly where: Predicate }
  | { readonly paths: ReadonlySet<string> }

/** The manifests of the newest snapshot, without those that list nothing any more. */
export async function keptManifests(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  parent: Snapshot | undefined,
): Promise<readonly ManifestFile[]> {
  if (parent === undefined) return []
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const manifests = await manifestsOf(place, parent)
  return manifests.filter(
    ({ addedFiles, existingFiles }) => addedFiles !== 0 || existingFiles !== 0,
  )
}

export interface Replacement {
  readonly snapshotId: bigint
  readonly chooser: RemovalChooser
  readonly added: readonly ContentFile[]
  /** Manifests that list what is added. */
  readonly manifests: readonly ManifestFile[]
  /** Default: `delete` when no rows are added, else `overwrite`. */
  readonly operation?: StagedSnapshot['changes']['operation']
}

/**
 * One attempt at taking files away and putting others in their place. Manifests that list a removed file are written anew,
 * with the file marked as deleted; the others stay.
 *
 * @throws TableMismatchError when the predicate is true for only some rows of a file, as far as can be told
 */
export async function stageReplacement(
  tools: IcebergTools,
  entry: CatalogEntry,
  parent: Snapshot | undefined,
  { snapshotId, chooser, added, manifests: ours, operation }: Replacement,
): Promise<StagedSnapshot | Conflict> {
  const { metadata, tableKey } = entry
  const specs = boundSpecs(metadata, tableKey)
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const kept = await keptManifests(tools, entry, parent)
  const manifests: ManifestFile[] = [...ours]
  const untouched: ManifestFile[] = []
  const removed: ContentFile[] = []
  const candidates = kept.filter((each) => chooser.mayList(each))
  untouched.push(...kept.filter((each) => !candidates.includes(each)))
  let index = 0
  for await (const entries of allEntries(place, candidates, specs)) {
    const old = candidates[index++]!
    const live = entries.filter((each) => each.status !== 'deleted')
    const gone = new Set(live.filter((each) => chooser.removes(each)))
    if (gone.size === 0) {
      untouched.push(old)
      continue
    }
    removed.push(...[...gone].map(({ file }) => file))
    const rewritten = live.map((each): ManifestEntry => {
      if (gone.has(each)) return { ...each, status: 'deleted', snapshotId }
      return { ...each, status: 'existing' }
    })
    manifests.push(
      await putManifest(tools, entry, specs.get(old.specId)!, {
        content: old.content,
        snapshotId,
        entries: rewritten,
      }),
    )
  }
  const missing = chooser.missing(removed)
  if (missing !== undefined) return missing
  const options = mergeOptions(metadata)
  manifests.push(...(await mergeManifests(tools, entry, untouched, options, snapshotId)))
  const isDelete = added.every(({ content }) => content !== 'data')
  return {
    manifests,
    changes: { operation: operation ?? (isDelete ? 'delete' : 'overwrite'), added, removed },
  }
}

/** Which files of a snapshot a commit takes away. */
export interface RemovalChooser {
  mayList(manifest: ManifestFile): boolean
  removes(entry: ManifestEntry): boolean
  /** Why the commit cannot be, when less was found than has to go. */
  missing(removed: readonly ContentFile[]): Conflict | undefined
}

export interface KnownFiles {
  readonly data: ReadonlySet<string>
  /** Deletes that go if they are still there; with `mustFindDeletes` they have to be. */
  readonly deletes: ReadonlySet<string>
  readonly mustFindDeletes?: boolean
  /** Manifests that were there when the files were found, and those of them that list the data files. */
  readonly manifests: ReadonlySet<string>
  readonly listing: ReadonlySet<string>
}

/** Files by their paths, found in an older snapshot: manifests of then that did not list them need not be read again. */
export function knownFilesChooser({
  data,
  deletes,
  mustFindDeletes = false,
  manifests,
  listing,
}: KnownFiles): RemovalChooser {
  return {
    mayList: ({ path, content }) =>
      content === 'data'
        ? data.size > 0 && (listing.has(path) || !manifests.has(path))
        : deletes.size > 0,
    removes: ({ file }) => (file.content === 'data' ? data : deletes).has(file.path),
    missing: (removed) => missingOf(mustFindDeletes ? data.union(deletes) : data, removed),
  }
}

function missingOf(
  paths: ReadonlySet<string>,
  removed: readonly ContentFile[],
): Conflict | undefined {
  const found = new Set(removed.map((file) => file.path))
  const gone = [...paths].find((path) => !found.has(path))
  if (gone === undefined) return undefined
  return { reason: 'removed_files_changed', message: `${gone} is not in the table any more` }
}

/** @throws TableMismatchError when a predicate names what is not there */
export function removalChooser(
  { metadata, tableKey }: CatalogEntry,
  removal: Removal,
): RemovalChooser {
  if (removal === 'everything')
    return { mayList: () => true, removes: () => true, missing: () => undefined }
  if ('paths' in removal)
    return {
      mayList: ({ content }) => content === 'data',
      removes: ({ file }) => removal.paths.has(file.path),
      missing: (removed) => missingOf(removal.paths, removed),
    }
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const finder = new FileFinder(schema, boundSpecs(metadata, tableKey), removal.where, tableKey)
  return {
    // Deletes for files that are gone do no harm, and other files may need them.
    mayList: (manifest) => manifest.content === 'data' && finder.mayHold(manifest),
    removes: ({ file }) => {
      if (!finder.mayMatch(file)) return false
      if (finder.surelyMatchesAll(file)) return true
      throw new TableMismatchError(`Removing rows of ${tableKey} by a predicate`, [
        `${file.path} may hold rows of both kinds, and only whole files can be removed`,
      ])
    },
    missing: () => undefined,
  }
}
