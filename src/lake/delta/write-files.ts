import path from 'node:path'
import { type Column, type Columns, columnTypeText, sameColumnType } from '../../model/column.ts'
import type { ObjectStore } from '../../model/object-store.ts'
import type { Relation } from '../../model/relation.ts'
import { scalarFromText } from '../../model/scalar.ts'
import { TableMismatchError } from '../errors.ts'
import type { RowsPort } from '../rows-port.ts'
import type { ScratchPort } from '../scratch-port.ts'
import type { StagedFile, StageFilesPort } from '../stage-files.ts'
import type { AddAction } from './actions.ts'
import { checkRows } from './constraints.ts'
import { fileStatsJson } from './file-stats.ts'
import type { LogState } from './log-state.ts'
import { ownFileName } from './own-file.ts'
import { partitionFolder } from './partition-value.ts'
import { parseProperties, type TableProperties } from './properties.ts'
import { encodePath } from './table-path.ts'
import { fileColumnsOf, type TableSchema, tableSchemaOf } from './table-schema.ts'

/** What writing data files of a table needs. */
export interface WriteContext {
  readonly store: ObjectStore
  readonly stageFiles: StageFilesPort
  readonly rows: RowsPort
  readonly scratch: ScratchPort
  readonly tableKey: string
  readonly nowMs: number
  readonly newId: () => string
}

export interface WriteFilesOptions {
  /** A new file is begun past this size. Default: 128 MiB, what Spark and DuckDB read best. */
  readonly fileBytesTarget?: number
  /** Columns of the relation to sort by, for tighter statistics. Default: none. */
  readonly orderBy?: readonly string[]
  /** Whether the rows are what the table held before, so that nothing need be checked. Default: false. */
  readonly areOldRows?: boolean
  /** Folder for files that are no part of the table, and columns they have besides. */
  readonly aside?: { readonly folder: string; readonly columns: Columns }
}

export const DEFAULT_FILE_BYTES_TARGET = 128 * 1024 * 1024

/**
 * Write a relation's rows into files of the table, which nobody sees yet: physical names and ids under column mapping,
 * statistics, partition folders. Rows are checked against the table's constraints first.
 * @throws TableMismatchError when the rows break a constraint, or hold nulls where none may be
 */
export async function writeFiles(
  context: WriteContext,
  state: LogState,
  relation: Relation,
  options: WriteFilesOptions = {},
  signal?: AbortSignal,
): Promise<AddAction[]> {
  const { tableKey } = context
  if (relation.rowCount === 0) return []
  const schema = tableSchemaOf(state, tableKey)
  const properties = parseProperties(state.metadata.configuration)
  const { aside, areOldRows = false } = options
  if (!areOldRows) await checkRows(context, { state, schema, relation }, signal)
  const partitionBy = schema.partitionColumns.map((column) => column.physicalName)
  const columns = [
    ...fileColumnsOf(schema),
    ...(aside?.columns ?? []).map((column) => ({ ...column, logicalName: column.name })),
  ]
  const orderBy = options.orderBy?.map(
    (name) => columns.find((column) => column.logicalName === name)?.name ?? name,
  )
  await using physical = await physicalRelation(context, schema, relation, columns, signal)
  await using folder = await context.scratch.makeFolder()
  const staged = await context.stageFiles.stageFiles(
    {
      relation: physical.relation,
      columns: columns.filter((column) => !partitionBy.includes(column.name)),
      partitionBy,
      directory: folder.path,
      fileBytesTarget: options.fileBytesTarget ?? DEFAULT_FILE_BYTES_TARGET,
      compression: properties.compression,
      ...(orderBy === undefined ? {} : { orderBy }),
    },
    signal,
  )
  if (!areOldRows) checkNulls(staged, columns, tableKey)
  const adds: AddAction[] = []
  for (const file of staged)
    if (file.rowCount > 0)
      adds.push(await moveIn(context, { file, schema, columns, properties, aside }, signal))
  return adds
}

type FileColumn = ReturnType<typeof fileColumnsOf>[number]

/** Under column mapping, files have names that users never see. */
async function physicalRelation(
  { rows }: WriteContext,
  { mapping }: TableSchema,
  relation: Relation,
  columns: readonly FileColumn[],
  signal: AbortSignal | undefined,
) {
  if (mapping === 'none') return { relation, [Symbol.asyncDispose]: async () => {} }
  const extra = relation.columns.filter(
    ({ name }) => !columns.some((column) => column.logicalName === name),
  )
  return rows.derivedRelation(
    {
      relation,
      columns: [
        ...columns.map(({ name, type, logicalName }) => ({
          name,
          type,
          from: { column: logicalName },
        })),
        ...extra.map(({ name, type }) => ({ name, type, from: { column: name } })),
      ],
    },
    signal,
  )
}

interface StagedPart {
  readonly file: StagedFile
  readonly schema: TableSchema
  readonly columns: Columns
  readonly properties: TableProperties
  readonly aside: WriteFilesOptions['aside']
}

async function moveIn(
  { store, tableKey, nowMs, newId }: WriteContext,
  { file, schema, columns, properties, aside }: StagedPart,
  signal: AbortSignal | undefined,
): Promise<AddAction> {
  const partitionValues: Record<string, string | null> = {}
  for (const { name, type, physicalName } of schema.partitionColumns)
    partitionValues[physicalName] = partitionText(file.partitionValues[physicalName] ?? null, {
      name,
      type,
      tableKey,
    })
  const names = schema.partitionColumns.map((column) => column.physicalName)
  const relative = path.posix.join(
    aside?.folder ?? '',
    partitionFolder(partitionValues, names),
    ownFileName(aside === undefined ? 'part' : 'cdc', newId(), properties.compression),
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
      columns: columns.filter((column) => !names.includes(column.name)),
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
    throw new TableMismatchError(`Writing to ${tableKey}`, [
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
export function checkColumns(
  given: Columns,
  wanted: Columns,
  { attempt, mayLack = new Set() }: { attempt: string; mayLack?: ReadonlySet<string> },
): void {
  const problems: string[] = []
  for (const column of wanted) {
    const found = given.find((candidate) => candidate.name === column.name)
    if (found === undefined) {
      if (!mayLack.has(column.name)) problems.push(`the rows lack column ${column.name}`)
    } else if (!sameShape(found.type, column.type))
      problems.push(
        `column ${column.name} is ${columnTypeText(found.type)} in the rows and ` +
          `${columnTypeText(column.type)} in the table`,
      )
  }
  for (const { name } of given)
    if (!wanted.some((column) => column.name === name))
      problems.push(`the table has no column ${name}`)
  if (problems.length > 0) throw new TableMismatchError(attempt, problems)
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
function checkNulls(
  staged: readonly StagedFile[],
  columns: readonly FileColumn[],
  tableKey: string,
): void {
  const problems = new Set<string>()
  for (const { name, logicalName, nullable } of columns) {
    if (nullable) continue
    for (const { columnStatistics, partitionValues } of staged) {
      const entry = columnStatistics.find(({ path: p }) => p.length === 1 && p[0] === name)
      if ((entry?.nullCount ?? 0) > 0 || partitionValues[name] === null)
        problems.add(`column ${logicalName} holds nulls and may not`)
    }
  }
  if (problems.size > 0) throw new TableMismatchError(`Writing to ${tableKey}`, [...problems])
}
