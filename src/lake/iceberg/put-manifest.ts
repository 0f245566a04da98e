import type { CatalogEntry } from './catalog.ts'
import type { IcebergTools } from './deps.ts'
import type { ManifestFile } from './manifest-list.ts'
import { type NewEntry, writeManifest } from './manifest-write.ts'
import { schemaById, specById } from './metadata.ts'
import type { BoundSpec } from './partition-spec.ts'

export interface ManifestContents {
  readonly content: 'data' | 'deletes'
  readonly snapshotId: bigint
  readonly entries: readonly NewEntry[]
}

/** Write a manifest under a name of its own. Durable when it returns. */
export async function putManifest(
  { store, newId, newSync }: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  spec: BoundSpec,
  contents: ManifestContents,
): Promise<ManifestFile> {
  const name = `metadata/${newId()}-m0.avro`
  const { bytes, manifest } = await writeManifest({
    ...contents,
    path: `${metadata.location}/${name}`,
    schema: schemaById(metadata, metadata['current-schema-id'])!,
    spec,
    specJson: specById(metadata, spec.specId)!,
    sync: newSync(),
  })
  await store.put(`${tableKey}/${name}`, bytes)
  return manifest
}
