import { expect, test } from 'vitest'
import { writeAvroFile } from '../../../src/lake/iceberg/avro/container.ts'
import { readManifestList } from '../../../src/lake/iceberg/manifest-list.ts'
import { MANIFEST_FILE_SCHEMA } from '../../../src/lake/iceberg/manifest-schema.ts'
import { type AvroSchema, parseAvroSchema } from '../../../src/model/avro/schema.ts'

/** As ClickHouse writes it. */
const withoutIds = (schema: AvroSchema): AvroSchema =>
  parseAvroSchema(
    JSON.stringify(schema, (_, value) =>
      value?.type === 'union'
        ? value.branches
        : value !== null && typeof value === 'object' && !Array.isArray(value)
          ? Object.fromEntries(Object.entries(value).filter(([name]) => !name.endsWith('-id')))
          : value,
    ),
  )

test('a manifest list is read by ids, and by names where it has none', async () => {
  const row = {
    manifest_path: 'm.avro',
    ...{ manifest_length: 10n, partition_spec_id: 0, content: 1, sequence_number: 7n },
    ...{ min_sequence_number: 3n, added_snapshot_id: 5n, added_files_count: 1 },
    ...{ existing_files_count: 2, deleted_files_count: 0, added_rows_count: 4n },
    ...{ existing_rows_count: 6n, deleted_rows_count: 0n, key_metadata: null },
    partitions: [
      { contains_null: true, contains_nan: null, lower_bound: Uint8Array.of(1), upper_bound: null },
    ],
  }
  const read = async (schema: AvroSchema) =>
    readManifestList(
      await writeAvroFile({ schema, metadata: {}, rows: [row], sync: new Uint8Array(16) }),
    )
  const byIds = await read(MANIFEST_FILE_SCHEMA)
  expect(byIds).toMatchObject([
    { path: 'm.avro', content: 'deletes', sequenceNumber: 7, partitions: [{ containsNull: true }] },
  ])
  expect(await read(withoutIds(MANIFEST_FILE_SCHEMA))).toEqual(byIds)
})
