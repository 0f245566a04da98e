import { TableBrokenError } from '../errors.ts'
import { openAvroFile } from './avro/container.ts'
import { type ManifestEntry, readManifest } from './manifest.ts'
import { type ManifestFile, readManifestList } from './manifest-list.ts'
import type { Snapshot } from './metadata.ts'
import type { BoundSpec } from './partition-spec.ts'
import { keyOfLocation, type TableLocation } from './table-location.ts'

/** Manifests fetched at once: enough to hide a store's latency, few enough for their bytes to fit. */
const READ_CONCURRENCY = 8

/** The manifests of a snapshot. @throws TableBrokenError, ObjectMissingError */
export async function manifestsOf(
  place: TableLocation,
  snapshot: Snapshot,
  signal?: AbortSignal,
): Promise<readonly ManifestFile[]> {
  const list = snapshot['manifest-list']
  if (list !== undefined)
    return whole(place, list, async () => readManifestList(await fetch(place, list, signal)))
  // Early version 1 tables name their manifests in the metadata.
  return Promise.all(
    (snapshot.manifests ?? []).map((path) =>
      whole(place, path, async () => describeManifest(path, await fetch(place, path, signal))),
    ),
  )
}

/** Live entries (added or existing) of manifests, in order. @throws TableBrokenError, ObjectMissingError */
export async function* liveEntries(
  place: TableLocation,
  manifests: readonly ManifestFile[],
  specs: ReadonlyMap<number, BoundSpec>,
  signal?: AbortSignal,
): AsyncGenerator<readonly ManifestEntry[]> {
  for await (const entries of allEntries(place, manifests, specs, signal))
    yield entries.filter((entry) => entry.status !== 'deleted')
}

/** All entries, one array for each manifest, in order. */
export async function* allEntries(
  place: TableLocation,
  manifests: readonly ManifestFile[],
  specs: ReadonlyMap<number, BoundSpec>,
  signal?: AbortSignal,
): AsyncGenerator<readonly ManifestEntry[]> {
  const reading: Promise<ManifestEntry[]>[] = []
  try {
    for (let next = 0; next < manifests.length || reading.length > 0; ) {
      while (next < manifests.length && reading.length < READ_CONCURRENCY) {
        const entries = readOne(place, manifests[next]!, specs, signal)
        // A later failure must not go unheard while an earlier manifest is awaited; awaiting it throws all the same.
        entries.catch(() => {})
        reading.push(entries)
        next += 1
      }
      yield await reading.shift()!
    }
  } finally {
    await Promise.allSettled(reading)
  }
}

async function readOne(
  place: TableLocation,
  manifest: ManifestFile,
  specs: ReadonlyMap<number, BoundSpec>,
  signal: AbortSignal | undefined,
): Promise<ManifestEntry[]> {
  return whole(place, manifest.path, async () => {
    const spec = specs.get(manifest.specId)
    if (spec === undefined) throw new RangeError(`its partition spec ${manifest.specId} is unknown`)
    return readManifest(await fetch(place, manifest.path, signal), spec, {
      snapshotId: manifest.addedSnapshotId,
      sequenceNumber: manifest.sequenceNumber,
      firstRowId: manifest.firstRowId,
    })
  })
}

async function fetch(
  { store, tableKey, ...place }: TableLocation,
  location: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const key = keyOfLocation({ store, tableKey, ...place }, location)
  if (key === undefined) throw new RangeError(`it is outside of the store ${store.rootUrl}`)
  return store.get(key, signal)
}

/** What a list would say of a manifest, from its own head. */
function describeManifest(path: string, bytes: Uint8Array): ManifestFile {
  const specId = Number(openAvroFile(bytes).metadata.get('partition-spec-id') ?? 0)
  return {
    path,
    bytes: bytes.length,
    specId,
    content: 'data',
    sequenceNumber: 0,
    minSequenceNumber: 0,
    addedSnapshotId: 0n,
  }
}

async function whole<T>(
  place: TableLocation,
  location: string,
  read: () => Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (cause) {
    if (!(cause instanceof RangeError || cause instanceof SyntaxError)) throw cause
    throw new TableBrokenError(
      `${location}, a manifest of ${place.tableKey}, cannot be read: ${cause.message}. Nothing was read from the table.`,
      { cause },
    )
  }
}
