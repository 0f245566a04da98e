import type { AvroRow } from '../../model/avro/decode.ts'
import type { Scalar } from '../../model/predicate.ts'
import { compareScalars } from '../../model/scalar.ts'
import { writeAvroFile } from './avro/container.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import type { FieldSummary, ManifestFile } from './manifest-list.ts'
import { avroName, MANIFEST_FILE_SCHEMA, manifestEntrySchema } from './manifest-schema.ts'
import type { PartitionSpec } from './metadata.ts'
import { metadataJson } from './metadata-json.ts'
import type { BoundSpec } from './partition-spec.ts'
import type { IcebergSchema } from './schema.ts'
import { avroFromScalar, bytesFromScalar } from './single-value.ts'

/** Writing manifests and manifest lists of version 2, the other way round from `manifest.ts` and `manifest-list.ts`. */

/** An entry whose sequence numbers may be left to be inherited, which only what is added can. */
export interface NewEntry extends Omit<ManifestEntry, 'sequenceNumber' | 'fileSequenceNumber'> {
  readonly sequenceNumber?: number
  readonly fileSequenceNumber?: number
}

export interface WriteManifestOptions {
  readonly path: string
  readonly content: 'data' | 'deletes'
  readonly entries: readonly NewEntry[]
  readonly schema: IcebergSchema
  readonly spec: BoundSpec
  /** As the table's metadata has it. */
  readonly specJson: PartitionSpec
  readonly snapshotId: bigint
  readonly sync: Uint8Array
}

/**
 * The bytes of a manifest, and what a list says of it. Its sequence numbers are those of the commit it goes into, which is
 * not known yet: they are 0 until `withSequence`.
 */
export async function writeManifest(
  options: WriteManifestOptions,
): Promise<{ readonly bytes: Uint8Array; readonly manifest: ManifestFile }> {
  const { content, entries, schema, spec, specJson, path, snapshotId, sync } = options
  const bytes = await writeAvroFile({
    schema: manifestEntrySchema(spec),
    metadata: {
      schema: metadataJson(schema),
      'schema-id': String(schema['schema-id'] ?? 0),
      'partition-spec': metadataJson(specJson.fields),
      'partition-spec-id': String(spec.specId),
      'format-version': '2',
      content,
    },
    rows: entries.map((entry) => entryRow(entry, spec)),
    sync,
  })
  const having = (status: ManifestEntry['status']) =>
    entries.filter((entry) => entry.status === status).map((entry) => entry.file)
  const rowsIn = (files: readonly ContentFile[]) =>
    files.reduce((sum, file) => sum + file.recordCount, 0)
  const [added, existing, deleted] = [having('added'), having('existing'), having('deleted')]
  const open = entries.some((e) => e.status === 'added' && e.sequenceNumber === undefined)
  const known = entries.flatMap((e) => (e.status === 'deleted' ? [] : (e.sequenceNumber ?? [])))
  return {
    bytes,
    manifest: {
      path,
      bytes: bytes.length,
      specId: spec.specId,
      content,
      sequenceNumber: UNASSIGNED,
      // An added file takes the commit's number, which is above all others.
      minSequenceNumber: known.length === 0 && open ? UNASSIGNED : Math.min(...known, Infinity),
      addedSnapshotId: snapshotId,
      addedFiles: added.length,
      existingFiles: existing.length,
      deletedFiles: deleted.length,
      addedRows: rowsIn(added),
      existingRows: rowsIn(existing),
      deletedRows: rowsIn(deleted),
      partitions: summaries(
        entries.map((entry) => entry.file),
        spec,
      ),
    },
  }
}

/** Stands for the number of a commit that has not been made. */
const UNASSIGNED = -1

/** A new manifest as the list of a commit with this sequence number has it; others stay as they are. */
export function withSequence(manifest: ManifestFile, sequenceNumber: number): ManifestFile {
  if (manifest.sequenceNumber !== UNASSIGNED) return manifest
  const { minSequenceNumber: min } = manifest
  const isOpen = min === UNASSIGNED || !Number.isFinite(min)
  return { ...manifest, sequenceNumber, minSequenceNumber: isOpen ? sequenceNumber : min }
}

export interface WriteManifestListOptions {
  readonly manifests: readonly ManifestFile[]
  readonly snapshotId: bigint
  readonly parentId: bigint | undefined
  readonly sequenceNumber: number
  readonly sync: Uint8Array
}

export function writeManifestList(options: WriteManifestListOptions): Promise<Uint8Array> {
  const { manifests, snapshotId, parentId, sequenceNumber, sync } = options
  return writeAvroFile({
    schema: MANIFEST_FILE_SCHEMA,
    metadata: {
      'snapshot-id': String(snapshotId),
      'parent-snapshot-id': parentId === undefined ? 'null' : String(parentId),
      'sequence-number': String(sequenceNumber),
      'format-version': '2',
    },
    rows: manifests.map(manifestRow),
    sync,
  })
}

function manifestRow(manifest: ManifestFile): AvroRow {
  return {
    manifest_path: manifest.path,
    manifest_length: BigInt(manifest.bytes),
    partition_spec_id: manifest.specId,
    content: manifest.content === 'deletes' ? 1 : 0,
    sequence_number: BigInt(manifest.sequenceNumber),
    min_sequence_number: BigInt(manifest.minSequenceNumber),
    added_snapshot_id: manifest.addedSnapshotId,
    // Version 1 lists may lack counts, version 2 lists may not; an unknown number of files must not look like none.
    added_files_count: manifest.addedFiles ?? 1,
    existing_files_count: manifest.existingFiles ?? 1,
    deleted_files_count: manifest.deletedFiles ?? 1,
    added_rows_count: BigInt(manifest.addedRows ?? 0),
    existing_rows_count: BigInt(manifest.existingRows ?? 0),
    deleted_rows_count: BigInt(manifest.deletedRows ?? 0),
    partitions:
      manifest.partitions?.map((summary) => ({
        contains_null: summary.containsNull,
        contains_nan: summary.containsNan ?? null,
        lower_bound: summary.lowerBound ?? null,
        upper_bound: summary.upperBound ?? null,
      })) ?? null,
    key_metadata: manifest.keyMetadata ?? null,
  }
}

const CONTENTS = { data: 0, position_deletes: 1, equality_deletes: 2 } as const
const STATUSES = { existing: 0, added: 1, deleted: 2 } as const

function entryRow(entry: NewEntry, spec: BoundSpec): AvroRow {
  return {
    status: STATUSES[entry.status],
    snapshot_id: entry.snapshotId,
    sequence_number: longOf(entry.sequenceNumber),
    file_sequence_number: longOf(entry.fileSequenceNumber),
    data_file: fileRow(entry.file, spec),
  }
}

function fileRow(file: ContentFile, spec: BoundSpec): AvroRow {
  const partition = Object.fromEntries(
    spec.fields.map(({ name, type }, index) => [
      avroName(name),
      avroFromScalar(file.partition[index] ?? null, type),
    ]),
  )
  return {
    content: CONTENTS[file.content],
    file_path: file.path,
    file_format: file.format.toUpperCase(),
    partition,
    record_count: BigInt(file.recordCount),
    file_size_in_bytes: BigInt(file.bytes),
    column_sizes: pairs(file.columnSizes, BigInt),
    value_counts: pairs(file.valueCounts, BigInt),
    null_value_counts: pairs(file.nullCounts, BigInt),
    nan_value_counts: pairs(file.nanCounts, BigInt),
    lower_bounds: pairs(file.lowerBounds, (bound) => bound),
    upper_bounds: pairs(file.upperBounds, (bound) => bound),
    key_metadata: file.keyMetadata ?? null,
    split_offsets: file.splitOffsets?.map(BigInt) ?? null,
    equality_ids: file.equalityIds ?? null,
    sort_order_id: file.sortOrderId ?? null,
    referenced_data_file: file.referencedDataFile ?? null,
  }
}

const longOf = (value: number | undefined) => (value === undefined ? null : BigInt(value))

function pairs<T, V extends AvroRow[string]>(
  map: ReadonlyMap<number, T> | undefined,
  convert: (value: T) => V,
): AvroRow[] | null {
  return map === undefined ? null : [...map].map(([key, value]) => ({ key, value: convert(value) }))
}

/** What a list tells of the partitions in a manifest (table spec, "Manifest Lists", `field_summary`). */
function summaries(files: readonly ContentFile[], spec: BoundSpec): readonly FieldSummary[] {
  return spec.fields.map(({ type }, index) => {
    let low: Scalar | undefined
    let high: Scalar | undefined
    let containsNull = false
    let containsNan = false
    for (const { partition } of files) {
      const value = partition[index] ?? null
      if (value === null) containsNull = true
      else if (Number.isNaN(value)) containsNan = true
      else {
        if (low === undefined || compareScalars(value, low) < 0) low = value
        if (high === undefined || compareScalars(value, high) > 0) high = value
      }
    }
    return {
      containsNull,
      containsNan,
      lowerBound: low === undefined ? undefined : bytesFromScalar(low, type),
      upperBound: high === undefined ? undefined : bytesFromScalar(high, type),
    }
  })
}
