import path from 'node:path'
import { type Column, type Columns, columnTypeText, sameColumnType } from '../../model/column.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import type { Relation } from '../../model/relation.ts'
import { scalarFromText } from '../../model/scalar.ts'
import { TableMismatchError } from '../errors.ts'
import type { ScratchPort } from '../scratch-port.ts'
import type { StagedFile, StageFilesPort } from '../stage-files.ts'
import type { AddAction, MetadataAction } from './actions.ts'
import { fileStatsJson } from './file-stats.ts'
import type { LogState } from './log-state.ts'
import { partitionFolder } from './partition-value.ts'
import { parseProperties, type TableProperties } from './properties.ts'
import { checkAppendable } from './protocol.ts'
import { encodePath } from './table-path.ts'
import { type TableSchema, tableSchemaOf } from './table-schema.ts'

/**
 * Data files of one append, in place and seen by nobody. Committing it twice leaves the rows once. When it is never
 * committed its files are orphans, which vacuum removes.
 */
export interface PreparedAppend {
  /** Of the commit that this becomes, so that it is recognised after an answer was lost. */
  readonly commitId: string
  readonly adds: readonly AddAction[]
  readonly rowCount: number
  readonly bytes: number
  /** What the files were written for. */
  readonly metadata: MetadataAction
}

export interface PrepareContext {
  readonly store: ObjectStore
  readonly stageFiles: StageFilesPort
  readonly scratch: ScratchPort
  readonly tableKey: string
  readonly nowMs: number
  readonly newId: () => string
}

export interface PrepareOptions {
  /** A new file is begun past this size. Default: 128 MiB, what Spark and DuckDB read best. */
  readonly fileBytesTarget?: number
  /** Columns to sort by within the append, for tighter statistics. Default: none. */
  readonly orderBy?: readonly string[]
}

export const DEFAULT_FILE_BYTES_TARGET = 128 * 1024 * 1024

/**
 * Write a relation's rows into data files of the table.
 * @throws TableMismatchError when its columns are not exactly the table's, or hold nulls where none may be
 * @throws TableUnsupportedError when the table needs what Mekong cannot write
 */
export async function prepareAppend(
  context: PrepareContext,
  state: LogState,
  relation: Relation,
  options: PrepareOptions = {},
  signal?: AbortSignal,
): Promise<PreparedAppend> {
  const { tableKey } = context
  const schema = tableSchemaOf(state, tableKey)
  const properties = parseProperties(state.metadata.configuration)
  checkAppendable(state.protocol, { metadata: state.metadata, schema: schema.struct }, tableKey)
  checkColumns(relation.columns, schema.columns, tableKey)
  const partitionBy = schema.partitionColumns.map((column) => column.name)
  const columns = schema.columns.filter((column) => !partitionBy.includes(column.name))
  const adds: AddAction[] = []
  if (relation.rowCount > 0) {
    await using folder = await context.scratch.makeFolder()
    const staged = await context.stageFiles.stageFiles(
      {
        relation,
        columns,
        partitionBy,
        directory: folder.path,
        fileBytesTarget: options.fileBytesTarget ?? DEFAULT_FILE_BYTES_TARGET,
        compression: properties.compression,
        ...(options.orderBy === undefined ? {} : { orderBy: options.orderBy }),
      },
      signal,
    )
    checkNulls(staged, schema, tableKey)
    for (const file of staged)
      adds.push(await moveIn(context, { file, schema, columns, properties }, signal))
  }
  return {
    commitId: context.newId(),
    adds,
    rowCount: relation.rowCount,
    bytes: adds.reduce((sum, add) => sum + add.size, 0),
    metadata: state.metadata,
  }
}

/** Whether files written under one `metaData` action fit a table that has another by now. */
export function fitsMetadata(a: MetadataAction, b: MetadataAction): boolean {
  const essence = (metadata: MetadataAction) =>
    JSON.stringify([
      metadata.id,
      metadata.schemaString,
      metadata.partitionColumns,
      metadata.configuration['delta.columnMapping.mode'],
    ])
  return a === b || essence(a) === essence(b)
}

interface StagedPart {
  readonly file: StagedFile
  readonly schema: TableSchema
  readonly columns: Columns
  readonly properties: TableProperties
}

async function moveIn(
  { store, tableKey, nowMs, newId }: PrepareContext,
  { file, schema, columns, properties }: StagedPart,
  signal: AbortSignal | undefined,
): Promise<AddAction> {
  const partitionValues: Record<string, string | null> = {}
  for (const { name, type, physicalName } of schema.partitionColumns)
    partitionValues[physicalName] = partitionText(file.partitionValues[name] ?? null, {
      name,
      type,
      tableKey,
    })
  const names = schema.partitionColumns.map((column) => column.physicalName)
  const relative = path.posix.join(
    partitionFolder(partitionValues, names),
    `part-00000-${newId()}.c000.${properties.compression}.parquet`,
  )
  await store.putFile(`${tableKey}/${relative}`, file.path, signal)
  return {
    path: encodePath(relative),
    partitionValues,
    size: file.bytes,
    modificationTime: nowMs,
    dataChange: true,
    stats: fileStatsJson({
      rowCount: file.rowCount,
      columnStatistics: file.columnStatistics,
      columns,
      properties,
    }),
  }
}

/** An engine's text of a partition value as Delta writes it. */
function partitionText(
  text: string | null,
  { name, type, tableKey }: { name: string; type: Column['type']; tableKey: string },
): string | null {
  if (text === null) return null
  if (text === '')
    // PROTOCOL.md, "Partition Value Serialization": it would be read back as null.
    throw new TableMismatchError(`Appending to ${tableKey}`, [
      `partition column ${name} holds an empty string, which Delta cannot tell from null`,
    ])
  if (type !== 'timestamp') return text
  const micros = scalarFromText(text, type) as bigint | undefined
  if (micros === undefined) return text
  const ms = Number(micros / 1000n - (micros % 1000n < 0n ? 1n : 0n))
  const fraction = String(((micros % 1_000_000n) + 1_000_000n) % 1_000_000n).padStart(6, '0')
  return `${new Date(ms).toISOString().slice(0, 19)}.${fraction}Z`
}

/** Rows go in whole or not at all: a column too many would be lost, one too few would be made up. */
function checkColumns(given: Columns, wanted: Columns, tableKey: string): void {
  const problems: string[] = []
  for (const column of wanted) {
    const found = given.find((candidate) => candidate.name === column.name)
    if (found === undefined) problems.push(`the rows lack column ${column.name}`)
    else if (!sameShape(found.type, column.type))
      problems.push(
        `column ${column.name} is ${columnTypeText(found.type)} in the rows and ` +
          `${columnTypeText(column.type)} in the table`,
      )
  }
  for (const { name } of given)
    if (!wanted.some((column) => column.name === name))
      problems.push(`the table has no column ${name}`)
  if (problems.length > 0) throw new TableMismatchError(`Appending to ${tableKey}`, problems)
}

/** Types equal but for docs and nullability, which values decide. */
const sameShape = (a: Column['type'], b: Column['type']) => sameColumnType(bare(a), bare(b))

function bare(type: Column['type']): Column['type'] {
  if (typeof type === 'string') return type
  switch (type.kind) {
    case 'decimal':
      return { kind: 'decimal', precision: type.precision, scale: type.scale }
    case 'list':
      return { kind: 'list', element: bare(type.element), elementNullable: true }
    case 'map':
      return { kind: 'map', key: bare(type.key), value: bare(type.value), valueNullable: true }
    case 'struct':
      return {
        kind: 'struct',
        columns: type.columns.map((c) => ({ name: c.name, type: bare(c.type), nullable: true })),
      }
  }
}

/** Top-level columns that may not be null (PROTOCOL.md, "Struct Field"), told from the files' own null counts. */
function checkNulls(staged: readonly StagedFile[], schema: TableSchema, tableKey: string): void {
  const problems = new Set<string>()
  for (const { name, nullable } of schema.columns) {
    if (nullable) continue
    for (const { columnStatistics, partitionValues } of staged) {
      const entry = columnStatistics.find(({ path: p }) => p.length === 1 && p[0] === name)
      if ((entry?.nullCount ?? 0) > 0 || partitionValues[name] === null)
        problems.add(`column ${name} holds nulls and may not`)
    }
  }
  if (problems.size > 0) throw new TableMismatchError(`Appending to ${tableKey}`, [...problems])
}
