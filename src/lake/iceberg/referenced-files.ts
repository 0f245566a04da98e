import type { CatalogEntry } from './catalog.ts'
import type { IcebergTools } from './deps.ts'
import type { ManifestFile } from './manifest-list.ts'
import { allEntries, manifestsOf } from './manifest-read.ts'
import type { Snapshot, TableMetadata } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { keyOfLocation, type TableLocation, tableLocation } from './table-location.ts'

/**
 * The store's keys of all files that some snapshots need: manifest lists, manifests, data and delete files. A file that a
 * manifest only says was deleted is not needed, unless `mentioned` asks for those too.
 */
export async function filesOfSnapshots(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  snapshots: readonly Snapshot[],
  options: {
    /** Keys that need not be looked into again: manifests that are known to be needed. */
    readonly except?: ReadonlySet<string>
    /** Default: false. */
    readonly mentioned?: boolean
    readonly signal?: AbortSignal | undefined
  } = {},
): Promise<Set<string>> {
  const place = tableLocation(tools.store, tableKey, metadata.location)
  const keys = new Set<string>()
  const add = (location: string) => {
    const key = keyOfLocation(place, location)
    if (key !== undefined) keys.add(key)
    return key
  }
  const manifests = new Map<string, ManifestFile>()
  for (const snapshot of snapshots) {
    if (snapshot['manifest-list'] !== undefined) add(snapshot['manifest-list'])
    for (const manifest of await manifestsOf(place, snapshot, options.signal)) {
      const key = add(manifest.path)
      if (key !== undefined && options.except?.has(key) !== true) manifests.set(key, manifest)
    }
  }
  const specs = boundSpecs(metadata, tableKey)
  for await (const entries of allEntries(place, [...manifests.values()], specs, options.signal))
    for (const { file, status } of entries)
      if (status !== 'deleted' || options.mentioned === true) add(file.path)
  return keys
}

/** The store's keys of files that metadata itself names: statistics, and the metadata files that its log keeps. */
export function filesOfMetadata(place: TableLocation, metadata: TableMetadata): Set<string> {
  const keys = new Set<string>()
  const locations = [
    ...metadata['metadata-log'].map((entry) => entry['metadata-file']),
    ...statisticsOf(metadata, 'statistics'),
    ...statisticsOf(metadata, 'partition-statistics'),
  ]
  for (const location of locations) {
    const key = keyOfLocation(place, location)
    if (key !== undefined) keys.add(key)
  }
  return keys
}

function statisticsOf(metadata: TableMetadata, member: string): readonly string[] {
  const list = metadata[member]
  if (!Array.isArray(list)) return []
  return (list as readonly { readonly 'statistics-path'?: unknown }[]).flatMap((each) =>
    typeof each['statistics-path'] === 'string' ? [each['statistics-path']] : [],
  )
}
