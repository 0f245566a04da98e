import type { CatalogEntry } from './catalog.ts'
import type { IcebergTools } from './deps.ts'
import type { ManifestFile } from './manifest-list.ts'
import { liveEntries } from './manifest-read.ts'
import type { NewEntry } from './manifest-write.ts'
import type { TableMetadata } from './metadata.ts'
import { boundSpecs } from './partition-spec.ts'
import { putManifest } from './put-manifest.ts'
import { tableLocation } from './table-location.ts'

/**
 * Many small appends make many small manifests, and every scan reads them all. Once there are so many, a commit
 * writes the small ones of each partition spec into one; large ones are left, so that no file is listed anew for ever.
 */
export interface MergeOptions {
  /** Manifests of one spec that make it worth while. Default: the table's `commit.manifest.min-count-to-merge`, else 100. */
  readonly countMin: number
  /** Manifests of this size are left alone. Default: the table's `commit.manifest.target-size-bytes`, else 8 MiB. */
  readonly bytesTarget: number
}

/** What the table's properties say; both defaults are Iceberg's own. */
export function mergeOptions({ properties }: TableMetadata): MergeOptions {
  const number = (name: string, fallback: number) => {
    const value = Number(properties[name])
    return Number.isSafeInteger(value) && value > 0 ? value : fallback
  }
  const isOff = properties['commit.manifest-merge.enabled'] === 'false'
  return {
    countMin: isOff ? Number.POSITIVE_INFINITY : number('commit.manifest.min-count-to-merge', 100),
    bytesTarget: number('commit.manifest.target-size-bytes', 8 * 1024 * 1024),
  }
}

/** Manifests that may become one: small ones of one spec, of data files or of deletes, enough of them. */
export function mergeableManifests(
  manifests: readonly ManifestFile[],
  { countMin, bytesTarget }: MergeOptions,
): readonly (readonly ManifestFile[])[] {
  const bins = new Map<string, ManifestFile[]>()
  for (const manifest of manifests) {
    if (manifest.bytes >= bytesTarget) continue
    const key = `${manifest.content} ${manifest.specId}`
    const bin = bins.get(key)
    if (bin === undefined) bins.set(key, [manifest])
    else bin.push(manifest)
  }
  return [...bins.values()].filter((bin) => bin.length >= countMin)
}

/** The same files in fewer manifests; those of data files and of deletes stay apart. */
export async function mergeManifests(
  tools: IcebergTools,
  entry: CatalogEntry,
  manifests: readonly ManifestFile[],
  options: MergeOptions,
  snapshotId: bigint,
): Promise<readonly ManifestFile[]> {
  const { metadata, tableKey } = entry
  const specs = boundSpecs(metadata, tableKey)
  const place = tableLocation(tools.store, tableKey, metadata.location)
  let merged = manifests
  for (const bin of mergeableManifests(manifests, options)) {
    const { content, specId } = bin[0]!
    const entries: NewEntry[] = []
    for await (const live of liveEntries(place, bin, specs))
      for (const each of live) entries.push({ ...each, status: 'existing' })
    const contents = { content, snapshotId, entries }
    const manifest = await putManifest(tools, entry, specs.get(specId)!, contents)
    merged = [manifest, ...merged.filter((each) => !bin.includes(each))]
  }
  return merged
}
