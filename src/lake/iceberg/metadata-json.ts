import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { TableBrokenError, TableUnsupportedError } from '../errors.ts'
import {
  MAIN_BRANCH,
  PARTITION_ID_START,
  type PartitionField,
  type PartitionSpec,
  type Snapshot,
  type SnapshotRef,
  type SortOrder,
  type TableMetadata,
} from './metadata.ts'
import type { IcebergSchema } from './schema.ts'

const FORMAT_VERSION_MAX = 3

/** Members that hold a 64-bit id. */
const ID_MEMBERS: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'current-snapshot-id',
])

const expand = promisify(gunzip)

/**
 * Metadata from the bytes of a `*.metadata.json`, gzipped or not, whatever its name says.
 *
 * @throws TableBrokenError when it is not table metadata
 * @throws TableUnsupportedError when the format version is past ours, or the table is encrypted
 */
export async function parseMetadata(bytes: Uint8Array, where: string): Promise<TableMetadata> {
  let json: Record<string, unknown>
  try {
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
    json = parseKeepingLongs(new TextDecoder().decode(isGzip ? await expand(bytes) : bytes))
  } catch (cause) {
    throw new TableBrokenError(`${where} is not JSON, plain or gzipped. Nothing was read.`, {
      cause,
    })
  }
  const version = json['format-version']
  if (typeof version !== 'number' || typeof json.location !== 'string')
    throw new TableBrokenError(`${where} is not Iceberg table metadata. Nothing was read.`)
  if (version < 1 || version > FORMAT_VERSION_MAX)
    throw new TableUnsupportedError(
      `${where} is Iceberg format version ${version}; we read 1 to ${FORMAT_VERSION_MAX}.`,
      [`format version ${version}`],
    )
  if (Array.isArray(json['encryption-keys']) && json['encryption-keys'].length > 0)
    throw new TableUnsupportedError(`${where} is of an encrypted table, which we cannot read.`, [
      'encryption',
    ])
  try {
    return normalized(json as Partial<TableMetadata> & Legacy, where)
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause
    throw new TableBrokenError(`${where} is not well-formed table metadata.`, { cause })
  }
}

/** JSON text of metadata, longs written out exactly. */
export function metadataJson(metadata: unknown): string {
  return JSON.stringify(metadata, (_key, value) =>
    typeof value === 'bigint' ? rawJson(String(value)) : value,
  )
}

/** TypeScript's library does not know it yet (https://tc39.es/proposal-json-parse-with-source/). */
const rawJson = (JSON as typeof JSON & { rawJSON(text: string): unknown }).rawJSON

/** JSON with ids as bigint, and any other whole number that a double would round as bigint too. */
export function parseKeepingLongs(json: string): Record<string, unknown> {
  return JSON.parse(json, (key: string, value: unknown, context?: { source?: string }) => {
    if (typeof value !== 'number') return value
    const source = context?.source ?? ''
    const isExact = !/^-?\d+$/.test(source) || (Number.isSafeInteger(value) && !ID_MEMBERS.has(key))
    return isExact ? value : BigInt(source)
  }) as Record<string, unknown>
}

/** What only version 1 has. */
interface Legacy {
  readonly schema?: IcebergSchema
  readonly 'partition-spec'?: readonly Partial<PartitionField>[]
}

function normalized(json: Partial<TableMetadata> & Legacy, where: string): TableMetadata {
  const { schema, 'partition-spec': legacySpec, ...members } = json
  const schemas = json.schemas ?? (schema === undefined ? [] : [{ 'schema-id': 0, ...schema }])
  const schemaId = json['current-schema-id'] ?? schema?.['schema-id'] ?? 0
  const legacySpecs = [{ 'spec-id': 0, fields: (legacySpec ?? []) as readonly PartitionField[] }]
  const specs: readonly PartitionSpec[] = (json['partition-specs'] ?? legacySpecs).map(numbered)
  const current = json['current-snapshot-id']
  // Old writers said "no snapshot" with -1.
  const hasCurrent = current !== undefined && current !== null && current !== -1n
  const snapshots = (json.snapshots ?? []).map(
    (snapshot): Snapshot => ({
      ...snapshot,
      'sequence-number': snapshot['sequence-number'] ?? 0,
      summary: snapshot.summary ?? {},
    }),
  )
  const refs: Record<string, SnapshotRef> = { ...json.refs }
  if (hasCurrent) refs[MAIN_BRANCH] ??= { 'snapshot-id': current, type: 'branch' }
  const { 'current-snapshot-id': _, ...rest } = members
  const metadata: TableMetadata = {
    ...rest,
    'format-version': json['format-version']!,
    'table-uuid': json['table-uuid'] ?? '',
    location: json.location!,
    'last-sequence-number': json['last-sequence-number'] ?? 0,
    'last-updated-ms': json['last-updated-ms'] ?? 0,
    'last-column-id': json['last-column-id'] ?? 0,
    'current-schema-id': schemaId,
    schemas,
    'default-spec-id': json['default-spec-id'] ?? 0,
    'partition-specs': specs,
    'last-partition-id': json['last-partition-id'] ?? lastPartitionId(specs),
    'default-sort-order-id': json['default-sort-order-id'] ?? 0,
    'sort-orders': json['sort-orders'] ?? ([{ 'order-id': 0, fields: [] }] satisfies SortOrder[]),
    properties: json.properties ?? {},
    ...(hasCurrent ? { 'current-snapshot-id': current } : {}),
    refs,
    snapshots,
    'snapshot-log': json['snapshot-log'] ?? [],
    'metadata-log': json['metadata-log'] ?? [],
  }
  checkReferences(metadata, where)
  return metadata
}

/** Version 1 did not number partition fields; they count from 1000 in their order (table spec, "Partition Evolution"). */
function numbered(spec: PartitionSpec): PartitionSpec {
  return {
    ...spec,
    fields: spec.fields.map((field, index) => ({
      ...field,
      'field-id': field['field-id'] ?? PARTITION_ID_START + index,
    })),
  }
}

const lastPartitionId = (specs: readonly PartitionSpec[]) =>
  Math.max(
    PARTITION_ID_START - 1,
    ...specs.flatMap((spec) => spec.fields.map((field) => field['field-id'])),
  )

function checkReferences(metadata: TableMetadata, where: string): void {
  const missing: string[] = []
  const schemaId = metadata['current-schema-id']
  if (!metadata.schemas.some((schema) => schema['schema-id'] === schemaId))
    missing.push(`schema ${schemaId}`)
  const specId = metadata['default-spec-id']
  if (!metadata['partition-specs'].some((spec) => spec['spec-id'] === specId))
    missing.push(`partition spec ${specId}`)
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot['snapshot-id']))
  for (const [name, ref] of Object.entries(metadata.refs))
    if (!ids.has(ref['snapshot-id']))
      missing.push(`snapshot ${ref['snapshot-id']} of the ${ref.type} ${name}`)
  if (missing.length > 0)
    throw new TableBrokenError(`${where} refers to what it does not have: ${missing.join(', ')}.`)
}
