import type { Column, Columns, ColumnType } from '../../model/column.ts'
import type { TableProperties } from './properties.ts'
import { fileColumnsOf, type TableSchema } from './table-schema.ts'

/**
 * The shape of `stats_parsed` in checkpoints (PROTOCOL.md, "Checkpoint Schema"): statistics in columns of their own, so that the first
 * selective plan on a big table reads a few of them instead of parsing all texts. The texts stay beside them.
 * `undefined` when no column can be kept this way.
 */
export function parsedStatsColumns(
  schema: TableSchema,
  { statsColumnCount, statsColumns }: Pick<TableProperties, 'statsColumnCount' | 'statsColumns'>,
): Columns | undefined {
  const partitions = new Set(schema.partitionColumns.map((column) => column.physicalName))
  const most = statsColumns !== undefined || statsColumnCount < 0 ? Infinity : statsColumnCount
  const leaves: Column[] = []
  for (const column of fileColumnsOf(schema)) {
    if (leaves.length >= most || partitions.has(column.name)) continue
    if (isKept(column.type)) leaves.push({ name: column.name, type: column.type, nullable: true })
  }
  if (leaves.length === 0) return undefined
  const counts = leaves.map((leaf) => ({ ...leaf, type: 'int64' as const }))
  const group = (name: string, columns: Columns): Column => ({
    name,
    type: { kind: 'struct', columns },
    nullable: true,
  })
  const bounded = leaves.filter(({ type }) => type !== 'boolean')
  return [
    { name: 'numRecords', type: 'int64', nullable: true },
    ...(bounded.length === 0 ? [] : [group('minValues', bounded), group('maxValues', bounded)]),
    group('nullCount', counts),
  ]
}

/** Types whose values come back from JSON as they went in. Nested columns are looked up in the text. */
function isKept(type: ColumnType): boolean {
  return typeof type === 'string' && type !== 'binary' && type !== 'float32'
}
