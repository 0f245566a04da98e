import type { Scalar } from '../../model/predicate.ts'
import { readDeletionVector } from '../delta/deletion-vector.ts'
import { statsTexts } from '../delta/file-actions.ts'
import { boundsFromStats, rowCountFromStats } from '../delta/file-bounds.ts'
import { liveRows } from '../delta/file-table.ts'
import { partitionScalar } from '../delta/partition-value.ts'
import { checkReadable } from '../delta/protocol.ts'
import { neededFeatures } from '../delta/protocol-upgrade.ts'
import { type DeltaDeps, TableLog } from '../delta/table-log.ts'
import { keyOfFile } from '../delta/table-path.ts'
import { tableSchemaOf } from '../delta/table-schema.ts'
import {
  type PlainFile,
  type PlainStatistics,
  type PlainTable,
  refuseUncarried,
} from './plain-table.ts'

/** Features of a Delta table that its data files alone do not tell, in words. */
const UNCARRIED: Readonly<Record<string, string>> = {
  columnMapping: 'column mapping',
  checkConstraints: 'constraints',
  generatedColumns: 'generated columns',
  typeWidening: 'widened columns',
}

/**
 * The newest version of a Delta table.
 * @throws TableUnsupportedError naming what Iceberg cannot tell of it
 */
export async function plainFromDelta(
  deps: DeltaDeps,
  location: string,
  signal?: AbortSignal,
): Promise<PlainTable> {
  const log = new TableLog(deps, location)
  const state = await log.newest(signal)
  checkReadable(state.protocol, location)
  const schema = tableSchemaOf(state, location)
  const { metadata, transactions } = state
  const { table } = state.files
  const rows = [...liveRows(state.files)]
  const stats = await statsTexts(log.context, table, rows, signal)
  const obstacles = neededFeatures(schema.struct, metadata.configuration).flatMap(
    (feature) => UNCARRIED[feature] ?? [],
  )
  const isCounted = (row: number) => rowCountFromStats(stats.get(row) ?? null) !== undefined
  if (!rows.every(isCounted)) obstacles.push('files without row counts')
  const keyAt = (row: number) => keyOfFile(table.paths[row]!, location, deps.store)
  if (rows.some((row) => keyAt(row) === undefined)) obstacles.push('files outside of the store')
  refuseUncarried(location, 'an Iceberg table', obstacles)
  const measured = schema.columns.filter(
    ({ name, type }) =>
      (typeof type === 'string' || type.kind === 'decimal') &&
      !schema.partitionColumns.some((column) => column.name === name),
  )
  const fileAt = async (row: number): Promise<PlainFile> => {
    const vector = table.deletionVectors.get(row)
    const deleted =
      vector === undefined
        ? undefined
        : await readDeletionVector(deps.store, location, vector, signal)
    const text = stats.get(row)!
    const rowCount = rowCountFromStats(text)!
    const values = table.partitions[table.partitionIds[row]!]!
    const statistics = new Map<string, PlainStatistics>()
    for (const { name, type } of measured) {
      const isNameUnique = !schema.ambiguousNames.has(name)
      const bounds = boundsFromStats(text, { path: [name], type, isNameUnique })
      if (bounds === undefined) continue
      const nullCount = !bounds.mayBeNull ? 0 : bounds.mayBeValue ? undefined : rowCount
      statistics.set(name, { min: bounds.min, max: bounds.max, nullCount })
    }
    return {
      key: keyAt(row)!,
      bytes: table.sizes[row]!,
      modifiedMs: table.modificationTimes[row]!,
      rowCount,
      partition: schema.partitionColumns.map(({ physicalName, type }): Scalar | null =>
        partitionScalar(values[physicalName], type, location),
      ),
      statistics,
      ...(deleted === undefined ? {} : { deletedRows: deleted.positions }),
    }
  }
  const files: PlainFile[] = []
  for (const row of rows) files.push(await fileAt(row))
  return {
    columns: schema.columns,
    partitionBy: schema.partitionColumns.map(({ name }) => name),
    properties: Object.fromEntries(
      Object.entries(metadata.configuration).filter(([name]) => !name.startsWith('delta.')),
    ),
    transactions: [...transactions.values()].map(({ appId, version }) => ({ appId, version })),
    files,
    origin: `Delta version ${state.version}`,
  }
}
