import { scalarText } from '../lake/convert/scalar-text.ts'
import {
  type BoundPartitionField,
  boundSpecs,
  type PartitionTuple,
} from '../lake/iceberg/partition-spec.ts'
import { columnTypeOf } from '../lake/iceberg/schema.ts'
import type { IcebergSnapshot } from '../lake/iceberg/snapshot-view.ts'
import type { ScanPlan } from '../model/scan-plan.ts'

/** How a state of a table is divided. Values are texts as people read them. */
export interface TablePartitions {
  /** Names of the values; none where the table is not partitioned. */
  readonly columns: readonly string[]
  /** By their values, the last first: of days the newest. */
  readonly partitions: readonly TablePartition[]
}

export interface TablePartition {
  readonly values: readonly (string | null)[]
  readonly files: number
  readonly bytes: number
  /** Deleted ones included; `undefined` when a file does not say. */
  readonly rows: number | undefined
}

/** Of a Delta table, whose plans carry the values. */
export function partitionsOfPlan({ columns, files }: ScanPlan): TablePartitions {
  const parts = columns.flatMap(({ name, type, source }) =>
    source.kind === 'partition' ? [{ name, type, index: source.index }] : [],
  )
  if (parts.length === 0) return NONE
  const lines = files.map(({ partitionValues, bytes, rowCount }) => ({
    values: parts.map(({ index, type }) => {
      const value = partitionValues[index] ?? null
      return value === null ? null : (scalarText(value, type) ?? String(value))
    }),
    bytes,
    rows: rowCount,
  }))
  return { columns: parts.map(({ name }) => name), partitions: together(lines) }
}

/** Of an Iceberg table: by the fields of its current spec; files of older specs have null where theirs lacks one. Reads all manifests. */
export async function partitionsOfSnapshot(snapshot: IcebergSnapshot): Promise<TablePartitions> {
  const { metadata } = snapshot
  const specs = boundSpecs(metadata, snapshot.id)
  const current = specs.get(metadata['default-spec-id'])?.fields ?? []
  const shown = current.filter(({ transform }) => transform.kind !== 'void')
  if (shown.length === 0) return NONE
  const lines: Line[] = []
  for await (const file of snapshot.files()) {
    if (file.content !== 'data') continue
    const { fields } = specs.get(file.specId)!
    const values = shown.map((field) => {
      const at = fields.findIndex(({ fieldId }) => fieldId === field.fieldId)
      return at < 0 ? null : valueText(field, file.partition[at] ?? null)
    })
    lines.push({ values, bytes: file.bytes, rows: file.recordCount })
  }
  return { columns: shown.map(({ name }) => name), partitions: together(lines) }
}

const NONE: TablePartitions = Object.freeze({ columns: [], partitions: [] })

interface Line {
  readonly values: readonly (string | null)[]
  readonly bytes: number
  readonly rows: number | undefined
}

function together(lines: readonly Line[]): readonly TablePartition[] {
  const groups = Map.groupBy(lines, ({ values }) => JSON.stringify(values))
  return [...groups.values()]
    .map((all) => ({
      values: all[0]!.values,
      files: all.length,
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      rows: all.reduce<number | undefined>(
        (sum, { rows }) => (sum === undefined || rows === undefined ? undefined : sum + rows),
        0,
      ),
    }))
    .sort((a, b) => String(b.values).localeCompare(String(a.values), 'en', { numeric: true }))
}

/** Years, months and hours are counted from 1970 (table spec, "Partition Transforms"). */
function valueText(
  { transform, type }: BoundPartitionField,
  value: PartitionTuple[number],
): string | null {
  if (value === null) return null
  const count = Number(value)
  switch (transform.kind) {
    case 'year':
      return String(1970 + count)
    case 'month':
      return new Date(Date.UTC(1970, count)).toISOString().slice(0, 7)
    case 'hour':
      return `${new Date(count * 3_600_000).toISOString().slice(0, 13).replace('T', ' ')}h`
    default:
      return scalarText(value, columnTypeOf(type, 'a partition')) ?? String(value)
  }
}
