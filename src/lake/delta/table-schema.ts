import type { Column, Columns, ColumnType } from '../../model/column.ts'
import type { ColumnPath } from '../../model/predicate.ts'
import type { ScanColumn } from '../../model/scan-plan.ts'
import { TableBrokenError } from '../errors.ts'
import type { StatsColumn } from './file-bounds.ts'
import type { LogState } from './log-state.ts'
import { columnMappingOf } from './protocol.ts'
import {
  columnIdOf,
  columnsOfSchema,
  columnTypeOf,
  type DeltaField,
  type DeltaStruct,
  type DeltaType,
  parseSchema,
  physicalNameOf,
} from './schema.ts'

/** A table's schema in all the forms that reading needs. Made once for each `metaData` action. */
export interface TableSchema {
  readonly struct: DeltaStruct
  readonly columns: Columns
  readonly mapping: 'none' | 'name' | 'id'
  readonly partitionColumns: readonly PartitionColumn[]
  readonly scanColumns: readonly ScanColumn[]
  /** Names that occur more than once in the schema, at any depth, or that statistics use themselves. */
  readonly ambiguousNames: ReadonlySet<string>
}

export interface PartitionColumn {
  readonly name: string
  readonly physicalName: string
  readonly type: ColumnType
}

/** A column path found in the schema: its physical names and its type. */
export interface ResolvedColumn extends StatsColumn {
  /** For a partition column, its place among `TableSchema.partitionColumns`. */
  readonly partitionIndex: number | undefined
}

const made = new WeakMap<LogState['metadata'], TableSchema>()

/** @throws TableBrokenError, TableUnsupportedError */
export function tableSchemaOf(state: LogState, table: string): TableSchema {
  const known = made.get(state.metadata)
  if (known !== undefined) return known
  const schema = makeSchema(state, table)
  made.set(state.metadata, schema)
  return schema
}

function makeSchema({ metadata, protocol }: LogState, table: string): TableSchema {
  const struct = parseSchema(metadata.schemaString, table)
  const mapping = columnMappingOf(protocol, metadata)
  const nameOf = (field: DeltaField) => (mapping === 'none' ? field.name : physicalNameOf(field))
  const naming = mapping === 'none' ? 'logical' : 'physical'
  const partitionColumns = metadata.partitionColumns.map((name) => {
    const field = struct.fields.find((f) => f.name === name) ?? caseless(struct, name)
    if (field === undefined)
      throw new TableBrokenError(`${table} is partitioned by ${name}, which is not in its schema.`)
    return { name: field.name, physicalName: nameOf(field), type: columnTypeOf(field.type) }
  })
  const columns = columnsOfSchema(struct)
  const fields = struct.fields.filter((field) => field.type !== 'void')
  const scanColumns = fields.map((field, index): ScanColumn => {
    const { name, type, nullable } = columns[index]!
    const partition = partitionColumns.findIndex((column) => column.name === name)
    if (partition >= 0)
      return { name, type, nullable, source: { kind: 'partition', index: partition } }
    const fieldId = columnIdOf(field)
    if (mapping === 'id' && fieldId === undefined)
      throw new TableBrokenError(`${table} maps columns by id, yet column ${name} has none.`)
    return {
      name,
      type,
      nullable,
      source: {
        kind: 'file',
        physicalName: nameOf(field),
        physicalType: columnTypeOf(field.type, naming),
        ...(mapping === 'id' && fieldId !== undefined ? { fieldId } : {}),
      },
    }
  })
  const ambiguousNames = ambiguousNamesIn(struct, nameOf)
  return { struct, columns, mapping, partitionColumns, scanColumns, ambiguousNames }
}

/** A column as data files have it. */
export interface FileColumn extends Column {
  readonly logicalName: string
  readonly fieldId?: number
}

/** All columns as data files have them, partition columns too, which are in no file. */
export function fileColumnsOf({ struct, mapping }: TableSchema): readonly FileColumn[] {
  const naming = mapping === 'none' ? 'logical' : 'physical'
  return struct.fields
    .filter((field) => field.type !== 'void')
    .map((field) => {
      const fieldId = mapping === 'none' ? undefined : columnIdOf(field)
      return {
        name: mapping === 'none' ? field.name : physicalNameOf(field),
        type: columnTypeOf(field.type, naming),
        nullable: field.nullable !== false,
        logicalName: field.name,
        ...(fieldId === undefined ? {} : { fieldId }),
      }
    })
}

const caseless = (struct: DeltaStruct, name: string) =>
  struct.fields.find((field) => field.name.toLowerCase() === name.toLowerCase())

/** A path of names as users see them; `undefined` when there is no such column. */
export function resolvePath(schema: TableSchema, path: ColumnPath): ResolvedColumn | undefined {
  let type: DeltaType = schema.struct
  const physical: string[] = []
  for (const name of path) {
    if (typeof type === 'string' || type.type !== 'struct') return undefined
    const field: DeltaField | undefined = type.fields.find((candidate) => candidate.name === name)
    if (field === undefined) return undefined
    physical.push(schema.mapping === 'none' ? field.name : physicalNameOf(field))
    type = field.type
  }
  if (physical.length === 0) return undefined
  const partition = schema.partitionColumns.findIndex((column) => column.name === path[0])
  return {
    path: physical,
    type: columnTypeOf(type),
    isNameUnique: !schema.ambiguousNames.has(physical.at(-1)!),
    partitionIndex: partition < 0 ? undefined : partition,
  }
}

/** The members of statistics themselves. */
const STATS_NAMES = ['numRecords', 'tightBounds', 'minValues', 'maxValues', 'nullCount'] as const

function ambiguousNamesIn(
  struct: DeltaStruct,
  nameOf: (field: DeltaField) => string,
): ReadonlySet<string> {
  const seen = new Set<string>(STATS_NAMES)
  const ambiguous = new Set<string>()
  const visit = (type: DeltaType): void => {
    if (typeof type === 'string') return
    if (type.type === 'array') visit(type.elementType)
    else if (type.type === 'map') {
      visit(type.keyType)
      visit(type.valueType)
    } else
      for (const field of type.fields) {
        const name = nameOf(field)
        if (seen.has(name)) ambiguous.add(name)
        seen.add(name)
        visit(field.type)
      }
  }
  visit(struct)
  // A column called like a member of the statistics spoils the search for that member, for every column.
  return STATS_NAMES.some((name) => ambiguous.has(name)) ? seen : ambiguous
}
