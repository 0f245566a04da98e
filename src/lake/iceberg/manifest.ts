import type { AvroRow, AvroValue } from '../../model/avro/decode.ts'
import { openAvroFile } from './avro/container.ts'
import { manifestNaming } from './manifest-naming.ts'
import { manifestEntrySchema } from './manifest-schema.ts'
import type { BoundSpec, PartitionTuple } from './partition-spec.ts'
import { scalarFromAvro } from './single-value.ts'

/**
 * Manifests: which files a snapshot has, and what is in them (table spec, "Manifests"). Fields are found by their ids,
 * so that it does not matter what a writer called them.
 */
export interface ManifestEntry {
  readonly status: 'existing' | 'added' | 'deleted'
  /** The snapshot that added the file, or deleted it. */
  readonly snapshotId: bigint
  /** Age of the contents: which deletes apply to them. */
  readonly sequenceNumber: number
  /** When the file itself came in. */
  readonly fileSequenceNumber: number
  readonly file: ContentFile
}

export type FileContent = 'data' | 'position_deletes' | 'equality_deletes'

/** A data or delete file, under the names of the spec's `data_file` struct. Maps are by field id. */
export interface ContentFile extends FileMetrics {
  readonly content: FileContent
  /** As written: locations are compared as text. */
  readonly path: string
  /** Lower-case: `parquet`, `avro`, `orc`, `puffin`. */
  readonly format: string
  readonly specId: number
  readonly partition: PartitionTuple
  /** Rows; for a deletion vector, rows deleted. */
  readonly recordCount: number
  readonly bytes: number
  readonly keyMetadata?: Uint8Array | undefined
  readonly splitOffsets?: readonly number[] | undefined
  readonly equalityIds?: readonly number[] | undefined
  readonly sortOrderId?: number | undefined
  readonly firstRowId?: number | undefined
  readonly referencedDataFile?: string | undefined
  readonly contentOffset?: number | undefined
  readonly contentBytes?: number | undefined
}

export interface FileMetrics {
  readonly columnSizes?: ReadonlyMap<number, number> | undefined
  readonly valueCounts?: ReadonlyMap<number, number> | undefined
  readonly nullCounts?: ReadonlyMap<number, number> | undefined
  readonly nanCounts?: ReadonlyMap<number, number> | undefined
  readonly lowerBounds?: ReadonlyMap<number, Uint8Array> | undefined
  readonly upperBounds?: ReadonlyMap<number, Uint8Array> | undefined
}

/** What a manifest's entries inherit from the list that names it (table spec, "Sequence Number Inheritance"). */
export interface Inherited {
  readonly snapshotId: bigint
  readonly sequenceNumber: number
  /** Version 3; absent where rows have no ids. */
  readonly firstRowId?: number | undefined
}

const STATUSES = ['existing', 'added', 'deleted'] as const
const CONTENTS = ['data', 'position_deletes', 'equality_deletes'] as const

/**
 * The entries of a manifest, deleted ones included.
 *
 * @throws RangeError when the file is damaged or no manifest
 */
export async function readManifest(
  bytes: Uint8Array,
  spec: BoundSpec,
  inherited: Inherited,
): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = []
  let nextRowId = inherited.firstRowId
  const manifest = openAvroFile(bytes)
  const naming = manifestNaming(manifest.schema, () => manifestEntrySchema(spec))
  for await (const rows of manifest.blocks(naming))
    for (const row of rows) {
      const entry = entryOf(row, spec, inherited, nextRowId)
      // Files without a first row id take theirs one after the other ("First Row ID Inheritance").
      const takesRowIds =
        (row.f2 as AvroRow).f142 === undefined || (row.f2 as AvroRow).f142 === null
      if (nextRowId !== undefined && takesRowIds && entry.file.content === 'data')
        nextRowId += entry.file.recordCount
      entries.push(entry)
    }
  return entries
}

function entryOf(
  row: AvroRow,
  spec: BoundSpec,
  inherited: Inherited,
  nextRowId: number | undefined,
): ManifestEntry {
  const status = STATUSES[Number(row.f0)]
  if (status === undefined || typeof row.f2 !== 'object') throw new RangeError('an entry is broken')
  // Only what was added may leave it open; version 1 has no such numbers at all.
  const whenOpen = status === 'added' ? inherited.sequenceNumber : 0
  return {
    status,
    snapshotId: (row.f1 as bigint | null) ?? inherited.snapshotId,
    sequenceNumber: numberOf(row.f3) ?? whenOpen,
    fileSequenceNumber: numberOf(row.f4) ?? whenOpen,
    file: fileOf(row.f2 as AvroRow, spec, nextRowId),
  }
}

function fileOf(row: AvroRow, spec: BoundSpec, nextRowId: number | undefined): ContentFile {
  const content = CONTENTS[numberOf(row.f134) ?? 0]
  if (content === undefined) throw new RangeError(`content ${numberOf(row.f134)} is unknown`)
  const partition = row.f102 as AvroRow
  const firstRowId = numberOf(row.f142) ?? (content === 'data' ? nextRowId : undefined)
  return {
    content,
    path: row.f100 as string,
    format: (row.f101 as string).toLowerCase(),
    specId: spec.specId,
    partition: spec.fields.map(({ fieldId, type, transform }) => {
      const value = partition[`f${fieldId}`] ?? null
      return transform.kind === 'unknown' ? rawScalar(value) : scalarFromAvro(value, type)
    }),
    recordCount: Number(row.f103),
    bytes: Number(row.f104),
    columnSizes: numbersOf(row.f108, 117, 118),
    valueCounts: numbersOf(row.f109, 119, 120),
    nullCounts: numbersOf(row.f110, 121, 122),
    nanCounts: numbersOf(row.f137, 138, 139),
    lowerBounds: boundsOf(row.f125, 126, 127),
    upperBounds: boundsOf(row.f128, 129, 130),
    keyMetadata: (row.f131 as Uint8Array | null) ?? undefined,
    splitOffsets: listOf(row.f132),
    equalityIds: listOf(row.f135),
    sortOrderId: numberOf(row.f140),
    firstRowId,
    referencedDataFile: (row.f143 as string | null) ?? undefined,
    contentOffset: numberOf(row.f144),
    contentBytes: numberOf(row.f145),
  }
}

/** Whatever an unknown transform made, only to tell partitions apart by. */
function rawScalar(value: AvroValue) {
  const isScalar = value === null || typeof value !== 'object' || value instanceof Uint8Array
  return isScalar ? value : JSON.stringify(value)
}

const numberOf = (value: AvroValue | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)

const listOf = (value: AvroValue | undefined): readonly number[] | undefined =>
  Array.isArray(value) ? value.map(Number) : undefined

function numbersOf(value: AvroValue | undefined, key: number, item: number) {
  return mapOf(value, key, item, Number)
}

function boundsOf(value: AvroValue | undefined, key: number, item: number) {
  return mapOf(value, key, item, (bytes) => bytes as Uint8Array)
}

/** Maps by field id are arrays of pairs in Avro ("Appendix A", maps with keys other than strings). */
function mapOf<T>(
  value: AvroValue | undefined,
  key: number,
  item: number,
  convert: (value: AvroValue) => T,
): ReadonlyMap<number, T> | undefined {
  if (!Array.isArray(value)) return undefined
  const map = new Map<number, T>()
  for (const pair of value as readonly AvroRow[]) {
    const cell = pair[`f${item}`]
    if (cell !== null && cell !== undefined) map.set(Number(pair[`f${key}`]), convert(cell))
  }
  return map
}
