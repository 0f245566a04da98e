import type { Scalar } from '../../model/predicate.ts'
import type { FileField, ScanColumn } from '../../model/scan-plan.ts'
import type { NameMapping } from './name-mapping.ts'
import type { BoundSpec, PartitionTuple } from './partition-spec.ts'
import { columnOf, type IcebergField, type IcebergStruct, type IcebergType } from './schema.ts'
import { scalarFromJson } from './single-value.ts'

/**
 * The columns of a schema as a scan finds them in data files: by field id; in files without ids by the table's name
 * mapping; where a file lacks the column, by its partition value, then its default, then null (table spec, "Column
 * Projection").
 */
export interface ScanSchema {
  readonly columns: readonly ScanColumn[]
  /** What `ScanFile.partitionValues` holds, in order. */
  readonly slots: readonly PartitionSlot[]
}

export interface PartitionSlot {
  readonly sourceId: number
  /** For files whose spec does not split by the column. */
  readonly missing: Scalar | null
}

/** @throws TableUnsupportedError for a column type that we cannot represent */
export function scanSchema(
  schema: IcebergStruct,
  specs: Iterable<BoundSpec>,
  mapping: NameMapping | undefined,
  table: string,
): ScanSchema {
  const identities = new Set<number>()
  for (const spec of specs)
    for (const field of spec.fields)
      if (field.transform.kind === 'identity') identities.add(field.sourceId)
  const slots: PartitionSlot[] = []
  const columns = schema.fields.map((field): ScanColumn => {
    const column = columnOf(field, table)
    // Never stored; what a file may hold under its id is to be ignored ("Parquet" in "Appendix A").
    const isVirtual = field.type === 'unknown'
    if (!isVirtual && !identities.has(field.id)) return scanColumn(field, mapping, table)
    slots.push({ sourceId: field.id, missing: defaultOf(field) ?? null })
    const index = slots.length - 1
    if (isVirtual) return { ...column, source: { kind: 'partition', index } }
    return scanColumn(field, mapping, table, index)
  })
  return { columns, slots }
}

/** One column by its id. */
export function scanColumn(
  field: IcebergField,
  mapping: NameMapping | undefined,
  table: string,
  missingPartition?: number,
): ScanColumn {
  const { name, type, nullable } = columnOf(field, table)
  const { fieldId, ...parts } = fileField(field, mapping)
  return {
    name,
    type,
    nullable,
    source: {
      kind: 'file',
      physicalName: name,
      physicalType: type,
      fieldId,
      ...parts,
      ...(missingPartition === undefined ? {} : { missingPartition }),
    },
  }
}

/** What a file's missing identity columns are, in the order of the slots. */
export function slotValues(
  slots: readonly PartitionSlot[],
  spec: BoundSpec,
  partition: PartitionTuple,
): (Scalar | null)[] {
  return slots.map(({ sourceId, missing }) => {
    const index = spec.fields.findIndex(
      (field) => field.sourceId === sourceId && field.transform.kind === 'identity',
    )
    return index < 0 ? missing : partition[index]!
  })
}

/** The value of a primitive field in files older than it. */
function defaultOf(field: IcebergField): Scalar | undefined {
  const json = field['initial-default']
  if (json === undefined || json === null || typeof field.type !== 'string') return undefined
  return scalarFromJson(json, field.type)
}

function fileField(field: IcebergField, mapping: NameMapping | undefined): FileField {
  const missing = defaultOf(field)
  return {
    ...identified(field.id, field.type, mapping),
    ...(missing === undefined ? {} : { missing }),
  }
}

function identified(id: number, type: IcebergType, mapping: NameMapping | undefined): FileField {
  const names = mapping === undefined ? undefined : (mapping.get(id) ?? [])
  const children = childrenOf(type, mapping)
  return {
    fieldId: id,
    ...(names === undefined ? {} : { names }),
    ...(children === undefined ? {} : { children }),
  }
}

function childrenOf(
  type: IcebergType,
  mapping: NameMapping | undefined,
): readonly FileField[] | undefined {
  if (typeof type === 'string') return undefined
  switch (type.type) {
    case 'struct':
      return type.fields.map((field) => fileField(field, mapping))
    case 'list':
      return [identified(type['element-id'], type.element, mapping)]
    case 'map':
      return [
        identified(type['key-id'], type.key, mapping),
        identified(type['value-id'], type.value, mapping),
      ]
  }
}
