import type { AvroRow, AvroValue } from '../../model/avro/decode.ts'
import { openAvroFile } from './avro/container.ts'
import { manifestNaming } from './manifest-naming.ts'
import { MANIFEST_FILE_SCHEMA } from './manifest-schema.ts'

/** A manifest as the list of a snapshot names it (table spec, "Manifest Lists"). Counts are absent where not written. */
export interface ManifestFile {
  readonly path: string
  readonly bytes: number
  readonly specId: number
  readonly content: 'data' | 'deletes'
  readonly sequenceNumber: number
  readonly minSequenceNumber: number
  readonly addedSnapshotId: bigint
  readonly addedFiles?: number | undefined
  readonly existingFiles?: number | undefined
  readonly deletedFiles?: number | undefined
  readonly addedRows?: number | undefined
  readonly existingRows?: number | undefined
  readonly deletedRows?: number | undefined
  /** One for each field of the spec; absent when the writer made none. */
  readonly partitions?: readonly FieldSummary[] | undefined
  readonly keyMetadata?: Uint8Array | undefined
  readonly firstRowId?: number | undefined
}

/** The values of one partition field among all files of a manifest; bounds as in "Appendix D". */
export interface FieldSummary {
  readonly containsNull: boolean
  readonly containsNan?: boolean | undefined
  readonly lowerBound?: Uint8Array | undefined
  readonly upperBound?: Uint8Array | undefined
}

/** @throws RangeError when the file is damaged or no manifest list */
export async function readManifestList(bytes: Uint8Array): Promise<ManifestFile[]> {
  const manifests: ManifestFile[] = []
  const list = openAvroFile(bytes)
  const naming = manifestNaming(list.schema, () => MANIFEST_FILE_SCHEMA)
  for await (const rows of list.blocks(naming))
    for (const row of rows) manifests.push(manifestOf(row))
  return manifests
}

function manifestOf(row: AvroRow): ManifestFile {
  if (typeof row.f500 !== 'string') throw new RangeError('a manifest has no path')
  return {
    path: row.f500,
    bytes: Number(row.f501),
    specId: Number(row.f502),
    content: Number(row.f517 ?? 0) === 1 ? 'deletes' : 'data',
    sequenceNumber: Number(row.f515 ?? 0),
    minSequenceNumber: Number(row.f516 ?? 0),
    addedSnapshotId: (row.f503 as bigint | null) ?? 0n,
    addedFiles: numberOf(row.f504),
    existingFiles: numberOf(row.f505),
    deletedFiles: numberOf(row.f506),
    addedRows: numberOf(row.f512),
    existingRows: numberOf(row.f513),
    deletedRows: numberOf(row.f514),
    partitions: Array.isArray(row.f507) ? row.f507.map(summaryOf) : undefined,
    keyMetadata: (row.f519 as Uint8Array | null) ?? undefined,
    firstRowId: numberOf(row.f520),
  }
}

function summaryOf(value: AvroValue): FieldSummary {
  const row = value as AvroRow
  return {
    containsNull: row.f509 === true,
    containsNan: (row.f518 as boolean | null) ?? undefined,
    lowerBound: (row.f510 as Uint8Array | null) ?? undefined,
    upperBound: (row.f511 as Uint8Array | null) ?? undefined,
  }
}

const numberOf = (value: AvroValue | undefined): number | undefined =>
  value === null || value === undefined ? undefined : Number(value)
