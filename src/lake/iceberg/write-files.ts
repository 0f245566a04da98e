import type { Scalar } from '../../model/predicate.ts'
import type { Relation } from '../../model/relation.ts'
import { scalarFromText } from '../../model/scalar.ts'
import { TableMismatchError, TableUnsupportedError } from '../errors.ts'
import type { DerivedColumn, StagedFile } from '../stage-files.ts'
import type { CatalogEntry } from './catalog.ts'
import type { IcebergTools } from './deps.ts'
import { fileMetrics } from './file-metrics.ts'
import type { ContentFile } from './manifest.ts'
import { schemaById, type TableMetadata } from './metadata.ts'
import { type BoundPartitionField, type BoundSpec, boundSpecs } from './partition-spec.ts'
import { columnOf, columnTypeOf, fieldIdsOf, fieldsById, type IcebergSchema } from './schema.ts'

export interface WriteFilesOptions {
  /** A new file is begun past this size. Default: the table's `write.target-file-size-bytes`, else 128 MiB. */
  readonly fileBytesTarget?: number
  /** Columns to sort by. Default: the table's sort order, as far as it is of plain columns. */
  readonly orderBy?: readonly string[]
}

/** What Spark and DuckDB read best; Iceberg's own default of 512 MiB is meant for clusters. */
export const DEFAULT_FILE_BYTES_TARGET = 128 * 1024 * 1024

/**
 * Write a relation's rows into data files by the table's current schema and spec, which nobody sees yet. The relation has the
 * table's columns.
 * @throws TableMismatchError when it holds nulls where none may be
 * @throws TableUnsupportedError when we cannot partition as the table does
 */
export async function writeFiles(
  tools: IcebergTools,
  { metadata, tableKey }: CatalogEntry,
  relation: Relation,
  options: WriteFilesOptions = {},
  signal?: AbortSignal,
): Promise<ContentFile[]> {
  if (relation.rowCount === 0) return []
  const schema = schemaById(metadata, metadata['current-schema-id'])!
  const spec = boundSpecs(metadata, tableKey).get(metadata['default-spec-id'])!
  await using folder = await tools.ports.scratch.makeFolder()
  const derived = derivedColumns(spec, schema, tableKey)
  const orderBy = options.orderBy ?? sortColumns(metadata, schema)
  const staged = await tools.ports.stageFiles.stageFiles(
    {
      relation,
      columns: schema.fields.map((field) => ({
        ...columnOf(field, tableKey),
        ...fieldIdsOf(field.id, field.type),
      })),
      partitionBy: derived.map(({ name }) => name),
      derived,
      directory: folder.path,
      fileBytesTarget: options.fileBytesTarget ?? fileBytesTarget(metadata),
      compression:
        metadata.properties['write.parquet.compression-codec'] === 'snappy' ? 'snappy' : 'zstd',
      ...(orderBy.length === 0 ? {} : { orderBy }),
    },
    signal,
  )
  checkNulls(staged, schema, tableKey)
  const files: ContentFile[] = []
  for (const file of staged) {
    if (file.rowCount === 0) continue
    const partition = spec.fields.map((field) =>
      partitionValue(file.partitionValues[partitionName(field)] ?? null, field, tableKey),
    )
    const name = `data/${partitionFolder(spec, partition)}${tools.newId()}.parquet`
    await tools.store.putFile(`${tableKey}/${name}`, file.path, signal)
    files.push({
      content: 'data',
      path: `${metadata.location}/${name}`,
      format: 'parquet',
      specId: spec.specId,
      partition,
      recordCount: file.rowCount,
      bytes: file.bytes,
      ...fileMetrics(schema, file.columnStatistics, metadata.properties),
      ...(options.orderBy === undefined ? { sortOrderId: sortOrderId(metadata, orderBy) } : {}),
    })
  }
  return files
}

/** Apart from every column's name. */
const partitionName = ({ fieldId }: BoundPartitionField) => `mekong partition ${fieldId}`

function derivedColumns(spec: BoundSpec, schema: IcebergSchema, table: string): DerivedColumn[] {
  const fields = fieldsById(schema)
  return spec.fields.flatMap((field): DerivedColumn[] => {
    const { transform } = field
    if (transform.kind === 'void') return []
    const source = fields.get(field.sourceId)
    const isKnown = transform.kind !== 'unknown' && source !== undefined
    // The bytes that Iceberg hashes of a decimal are not within SQL's reach.
    const isHashable = transform.kind !== 'bucket' || !field.sourceType.startsWith('decimal')
    if (!isKnown || !isHashable)
      throw new TableUnsupportedError(
        `${table} is partitioned by ${field.name}, whose transform we cannot write. Nothing was written.`,
        [`partition field ${field.name}`],
      )
    return [
      {
        name: partitionName(field),
        path: source.path,
        type: columnTypeOf(source.field.type, table),
        transform: transform.kind,
        ...('width' in transform ? { width: transform.width } : {}),
      },
    ]
  })
}

/** The engine's text of a partition value; binary as DuckDB prints it, bytes that are not plain as `\x0A`. */
function partitionValue(
  text: string | null,
  field: BoundPartitionField,
  table: string,
): Scalar | null {
  if (text === null) return null
  const type = field.type === 'date' ? 'int' : field.type
  const isDays = field.type === 'date' && field.transform.kind === 'day'
  const value =
    type === 'binary'
      ? bytesOfText(text)
      : scalarFromText(text, columnTypeOf(isDays ? 'int' : field.type, table))
  if (value === undefined)
    throw new TableMismatchError(`Writing to ${table}`, [
      `the engine gave ${JSON.stringify(text)} for the partition field ${field.name}`,
    ])
  return value
}

function bytesOfText(text: string): Uint8Array {
  const bytes: number[] = []
  for (const [, hex, plain] of text.matchAll(/\\x([0-9A-F]{2})|([\s\S])/g))
    bytes.push(hex === undefined ? plain!.charCodeAt(0) : Number.parseInt(hex, 16))
  return Uint8Array.from(bytes)
}

/** For people looking at folders; nobody may read values from it. */
function partitionFolder(spec: BoundSpec, partition: readonly (Scalar | null)[]): string {
  return spec.fields
    .map(({ name }, index) => `${plain(name)}=${plain(String(partition[index] ?? 'null'))}/`)
    .join('')
}

/** Nothing that any file system or URL parser might take for more than a letter. */
const plain = (text: string) => text.slice(0, 64).replace(/[^A-Za-z0-9_.-]/g, '_')

function checkNulls(staged: readonly StagedFile[], schema: IcebergSchema, table: string): void {
  const problems = new Set<string>()
  for (const { name, required } of schema.fields)
    for (const { columnStatistics } of required ? staged : []) {
      const entry = columnStatistics.find(({ path }) => path.length === 1 && path[0] === name)
      if ((entry?.nullCount ?? 0) > 0) problems.add(`column ${name} holds nulls and may not`)
    }
  if (problems.size > 0) throw new TableMismatchError(`Writing to ${table}`, [...problems])
}

/** The size that the table's own properties ask for. */
export function fileBytesTarget({ properties }: TableMetadata): number {
  const asked = Number(properties['write.target-file-size-bytes'])
  return Number.isSafeInteger(asked) && asked > 0 ? asked : DEFAULT_FILE_BYTES_TARGET
}

/** The leading plain columns of the table's sort order, ascending with nulls first or not at all. */
function sortColumns(metadata: TableMetadata, schema: IcebergSchema): readonly string[] {
  const order = metadata['sort-orders'].find(
    (each) => each['order-id'] === metadata['default-sort-order-id'],
  )
  const names: string[] = []
  for (const field of order?.fields ?? []) {
    const column = schema.fields.find((each) => each.id === field['source-id'])
    if (column === undefined || field.transform !== 'identity' || field.direction !== 'asc') break
    names.push(column.name)
  }
  return names
}

/** Only rows sorted by all of an order may be said to be sorted by it; the engine puts nulls last. */
function sortOrderId(metadata: TableMetadata, orderBy: readonly string[]): number {
  const order = metadata['sort-orders'].find(
    (each) => each['order-id'] === metadata['default-sort-order-id'],
  )
  const isWhole =
    order !== undefined &&
    order.fields.length === orderBy.length &&
    order.fields.every((field) => field['null-order'] === 'nulls-last')
  return isWhole ? order['order-id'] : 0
}
