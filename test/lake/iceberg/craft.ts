import path from 'node:path'
import { writeAvroFile } from '../../../src/lake/iceberg/avro/container.ts'
import type { ContentFile } from '../../../src/lake/iceberg/manifest.ts'
import { manifestEntrySchema } from '../../../src/lake/iceberg/manifest-schema.ts'
import {
  withSequence,
  writeManifest,
  writeManifestList,
} from '../../../src/lake/iceberg/manifest-write.ts'
import { metadataJson, parseMetadata } from '../../../src/lake/iceberg/metadata-json.ts'
import { boundSpecs } from '../../../src/lake/iceberg/partition-spec.ts'
import { type IcebergSnapshot, snapshotView } from '../../../src/lake/iceberg/snapshot-view.ts'
import { tableLocation } from '../../../src/lake/iceberg/table-location.ts'
import type { AvroField, AvroRecord } from '../../../src/model/avro/schema.ts'
import type { ObjectStore } from '../../../src/model/object-store.ts'
import type { Bench } from './engine.ts'

/** Tables made by hand, with what our own writer never makes. Locations are foreign on purpose. */
export const LOCATION = 's3a://elsewhere/warehouse/t'
const SYNC = new Uint8Array(16)

export interface CraftedFile extends Partial<ContentFile> {
  readonly path: string
  readonly recordCount: number
}

export interface CraftedManifest {
  readonly content: 'data' | 'deletes'
  readonly specId?: number
  /** When its files came in; deletes apply to what is older. */
  readonly sequence: number
  readonly files: readonly CraftedFile[]
}

/** A Parquet file below the table, and its place as metadata names it. */
export async function craftParquet(
  bench: Bench,
  store: ObjectStore,
  options: { readonly key: string; readonly sql: string; readonly fieldIds?: string },
): Promise<{ path: string; bytes: number }> {
  const scratch = path.join(bench.folder, 'crafted.parquet')
  const ids = options.fieldIds === undefined ? '' : `, FIELD_IDS ${options.fieldIds}`
  await bench.rows(`COPY (${options.sql}) TO '${scratch}' (FORMAT parquet${ids})`)
  await store.putFile(options.key, scratch)
  const info = await store.head(options.key)
  return { path: `${LOCATION}/${options.key.split('/').slice(1).join('/')}`, bytes: info!.bytes }
}

/** One snapshot of a table at `key` with these manifests. */
export async function craftTable(
  bench: Bench,
  store: ObjectStore,
  key: string,
  members: Readonly<Record<string, unknown>>,
  manifests: readonly CraftedManifest[],
): Promise<IcebergSnapshot> {
  const base = {
    'format-version': 2,
    'table-uuid': '00000000-0000-0000-0000-000000000000',
    location: LOCATION,
    'last-sequence-number': 9,
    'last-updated-ms': 1,
    'last-column-id': 99,
    'current-schema-id': 0,
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'default-spec-id': 0,
    'last-partition-id': 1000,
    'sort-orders': [{ 'order-id': 0, fields: [] }],
    'default-sort-order-id': 0,
    properties: {},
    snapshots: [
      {
        'snapshot-id': 7,
        'timestamp-ms': 1,
        'sequence-number': 9,
        summary: { operation: 'append' },
        'manifest-list': `${LOCATION}/metadata/list.avro`,
      },
    ],
    refs: { main: { type: 'branch', 'snapshot-id': 7 } },
    ...members,
  }
  const metadata = await parseMetadata(new TextEncoder().encode(metadataJson(base)), key)
  const specs = boundSpecs(metadata, key)
  const listed = []
  for (const [index, { content, specId = 0, sequence, files }] of manifests.entries()) {
    const spec = specs.get(specId)!
    const full = files.map(
      (file): ContentFile => ({
        content: content === 'data' ? 'data' : 'position_deletes',
        format: 'parquet',
        specId,
        partition: [],
        bytes: 1,
        ...file,
      }),
    )
    const name = `metadata/m${index}.avro`
    const { bytes, manifest } = await writeManifest({
      path: `${LOCATION}/${name}`,
      content,
      entries: full.map((file) => ({ status: 'added', snapshotId: 7n, file })),
      schema: metadata.schemas[0]!,
      spec,
      specJson: metadata['partition-specs'].find((each) => each['spec-id'] === specId)!,
      snapshotId: 7n,
      sync: SYNC,
    })
    await store.put(`${key}/${name}`, bytes)
    listed.push(withSequence(manifest, sequence))
  }
  const list = await writeManifestList({
    manifests: listed,
    snapshotId: 7n,
    parentId: undefined,
    sequenceNumber: 9,
    sync: SYNC,
  })
  await store.put(`${key}/metadata/list.avro`, list)
  return snapshotView(tableLocation(store, key, LOCATION), metadata, bench.ports.parquet)
}

/** Replace a crafted manifest by one of version 3, whose entries also tell where deletion vectors are. */
export async function putVectorManifest(
  store: ObjectStore,
  manifestKey: string,
  vectors: readonly {
    readonly path: string
    readonly dataPath: string
    readonly cardinality: number
    readonly offset: number
    readonly bytes: number
  }[],
): Promise<void> {
  const schema = manifestEntrySchema({ specId: 0, fields: [] }) as AvroRecord
  const more = [
    [144, 'content_offset'],
    [145, 'content_size_in_bytes'],
  ].map(
    ([id, name]): AvroField => ({
      name: String(name),
      type: { type: 'union', branches: [{ type: 'null' }, { type: 'long' }] },
      'field-id': id,
    }),
  )
  const fields = schema.fields.map((field) => {
    if (field.name !== 'data_file') return field
    const file = field.type as AvroRecord
    return { ...field, type: { ...file, fields: [...file.fields, ...more] } }
  })
  const bytes = await writeAvroFile({
    schema: { ...schema, fields },
    metadata: { 'format-version': '3', content: 'deletes', 'partition-spec-id': '0' },
    rows: vectors.map((vector) => ({
      status: 1,
      snapshot_id: 7n,
      data_file: {
        content: 1,
        file_path: vector.path,
        file_format: 'PUFFIN',
        partition: {},
        record_count: BigInt(vector.cardinality),
        file_size_in_bytes: 1n,
        referenced_data_file: vector.dataPath,
        content_offset: BigInt(vector.offset),
        content_size_in_bytes: BigInt(vector.bytes),
      },
    })),
    sync: SYNC,
  })
  await store.put(manifestKey, bytes)
}
