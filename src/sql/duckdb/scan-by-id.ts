import { type ColumnType, holdsFloats } from '../../model/column.ts'
import type { Scalar } from '../../model/predicate.ts'
import type {
  EqualityDelete,
  FileField,
  ScanColumn,
  ScanFile,
  ScanPlan,
} from '../../model/scan-plan.ts'
import { literalSql } from './literal.ts'
import { quoteIdentifier } from './quote-identifier.ts'
import { readableFile, withoutPatterns } from './remote-files.ts'
import {
  deletionSql,
  emptySql,
  FILE_COLUMN,
  FILES,
  needsFooters,
  type PartitionCells,
  partitionCells,
  predicateSql,
  ROW_COLUMN,
  scanPlacesSql,
  scanSql,
  withoutBounds,
} from './scan.ts'
import { type Footer, type FooterColumn, footerSql, footersOf } from './scan-footers.ts'
import { duckdbType } from './type-mapping.ts'

/**
 * Scans that find columns by field id at every depth, as Iceberg's do. DuckDB's own matching by id goes no deeper than
 * the top, and cannot tell a file without ids; so the footers are looked at first, files with the same columns
 * are read together under their own names, and the parts are put one under the other.
 */

/** Runs the one statement that looks at footers. */
type RunRows = (sql: string) => Promise<readonly (readonly unknown[])[]>

/** A plan as one query; `rows` runs the one statement that looks at footers, where one is needed. */
export async function compileScan(plan: ScanPlan, rows: RunRows): Promise<string> {
  if (plan.files.length === 0 || !needsFooters(plan)) return scanSql(plan)
  return scanByIdSql(plan, await footersFor(plan, rows))
}

/** Some of a plan's files, by their places in it, as one query with `FILE_COLUMN` and `ROW_COLUMN` beside the columns. */
export type PlacesQuery = (places?: readonly number[]) => string

/** A plan as queries over some of its files, or over all; footers are looked at once, where that is needed. */
export async function compilePlaces(plan: ScanPlan, rows: RunRows): Promise<PlacesQuery> {
  const all = plan.files.map((_, place) => place)
  const some = (places: readonly number[]) => ({
    ...plan,
    files: places.map((place) => plan.files[place]!),
  })
  if (plan.files.length === 0 || !needsFooters(plan))
    return (places = all) => scanPlacesSql(some(places), places)
  const footers = await footersFor(plan, rows)
  return (places = all) =>
    places.length === 0
      ? scanPlacesSql(some(places), places)
      : scanByIdSql(some(places), footers, places)
}

async function footersFor(plan: ScanPlan, rows: RunRows): Promise<ReadonlyMap<string, Footer>> {
  const deletes = plan.equalityDeletes ?? []
  const locations = [...plan.files, ...deletes].map(({ location }) => location)
  return footersOf(await rows(footerSql([...new Set(locations)])))
}

/**
 * Pure. `footers` has every data and equality delete file of the plan. With `numbers`, what each of the plan's files counts as,
 * `FILE_COLUMN` and `ROW_COLUMN` come out beside the columns.
 */
export function scanByIdSql(
  plan: ScanPlan,
  footers: ReadonlyMap<string, Footer>,
  numbers?: readonly number[],
): string {
  const all = [...plan.columns, ...plan.residualColumns]
  const places = plan.files.map((file, place) => ({ file, number: numbers?.[place] }))
  const groups = grouped(places, ({ file }) =>
    JSON.stringify([footerOf(footers, file.location).signature, file.equalityDeletes ?? []]),
  )
  const parts = groups.map((files) => groupSql(plan, all, files, footers))
  const rows = parts.length === 0 ? emptySql(all) : parts.join(' UNION ALL ')
  if (plan.residual === undefined) return rows
  const names = plan.columns.map(({ name }) => quoteIdentifier(name))
  if (numbers !== undefined) names.push(quoteIdentifier(FILE_COLUMN), quoteIdentifier(ROW_COLUMN))
  const shown = names.length === 0 ? '1' : names.join(', ')
  return `SELECT ${shown} FROM (${rows}) WHERE ${predicateSql(plan.residual)}`
}

interface NumberedFile {
  readonly file: ScanFile
  readonly number: number | undefined
}

/** Where each row is, when the files have numbers. */
function placeOutputs(files: readonly NumberedFile[]): readonly string[] {
  if (files[0]!.number === undefined) return []
  const numbers = files.map(({ number }) => number).join(', ')
  return [
    `([${numbers}]::BIGINT[])[${FILES}.file_index::BIGINT + 1] AS ${quoteIdentifier(FILE_COLUMN)}`,
    `${FILES}.file_row_number AS ${quoteIdentifier(ROW_COLUMN)}`,
  ]
}

const DELETED_VALUES = '"mekong deleted values"'

function groupSql(
  plan: ScanPlan,
  columns: readonly ScanColumn[],
  numbered: readonly NumberedFile[],
  footers: ReadonlyMap<string, Footer>,
): string {
  const files = numbered.map(({ file }) => file)
  const footer = footerOf(footers, files[0]!.location)
  // What a file lacks may be constant within it, under the index that partition columns use.
  const shown = columns.map((column) => forFile(column, footer))
  const partitions = partitionCells(files, shown)
  const outputs = shown.map(
    (column) => `${cellSql(column, footer, partitions)} AS ${quoteIdentifier(column.name)}`,
  )
  outputs.push(...placeOutputs(numbered))
  const { joins, conditions } = deletionSql(files)
  const equalityDeletes = (files[0]!.equalityDeletes ?? []).map(
    (index) => plan.equalityDeletes![index]!,
  )
  return [
    `SELECT ${outputs.length === 0 ? '1' : outputs.join(', ')}`,
    `FROM ${readSql(files)} AS ${FILES}`,
    ...partitions.joins,
    ...joins,
    ...grouped(equalityDeletes, columnsKey).map((deletes, index) =>
      equalityJoin(deletes, footer, footers, `${DELETED_VALUES.slice(0, -1)} ${index}"`),
    ),
    ...(conditions.length === 0 ? [] : [`WHERE ${conditions.join(' AND ')}`]),
  ].join(' ')
}

const readSql = (files: readonly { readonly location: string }[]) => {
  const locations = files.map((file) => readableFile(file.location))
  return `read_parquet([${locations.join(', ')}], hive_partitioning=false)`
}

/** Deletes by the same columns become one anti-join, null being equal to null. */
function equalityJoin(
  deletes: readonly EqualityDelete[],
  footer: Footer,
  footers: ReadonlyMap<string, Footer>,
  name: string,
): string {
  const { columns } = deletes[0]!
  const parts = grouped(deletes, ({ location }) => footerOf(footers, location).signature).map(
    (files) => {
      const own = footerOf(footers, files[0]!.location)
      const cells = columns.map((column, at) => `${valueSql(column, own, 'd')} AS c${at}`)
      return `SELECT ${cells.join(', ')} FROM ${readSql(files)} AS d`
    },
  )
  const equal = columns.map(
    (column, at) => `${name}.c${at} IS NOT DISTINCT FROM ${valueSql(column, footer, FILES)}`,
  )
  return `ANTI JOIN (${parts.join(' UNION ALL ')}) AS ${name} ON ${equal.join(' AND ')}`
}

const columnsKey = ({ columns }: EqualityDelete) =>
  JSON.stringify(columns.map(({ source }) => source.kind === 'file' && source.fieldId))

/** A column that a file lacks, and that is constant in it, as the partition column it then is. */
function forFile(column: ScanColumn, footer: Footer): ScanColumn {
  const { source } = column
  if (source.kind !== 'file' || source.missingPartition === undefined) return column
  return find(footer.columns, fieldOf(column)) === undefined
    ? { ...column, source: { kind: 'partition', index: source.missingPartition } }
    : column
}

function cellSql(column: ScanColumn, footer: Footer, partitions: PartitionCells): string {
  const { source, type } = column
  return source.kind === 'partition'
    ? partitions.cellSql(source.index, type)
    : valueSql(column, footer, FILES)
}

/** A column of files, in those that have this footer. */
function valueSql(column: ScanColumn, footer: Footer, table: string): string {
  const { source, type } = column
  const field = fieldOf(column)
  const found = find(footer.columns, field)
  if (found === undefined) return missingSql(field, type)
  const cell = `${table}.${quoteIdentifier(found.name)}`
  const hasSafeBounds = source.kind === 'file' && source.hasSafeBounds === true
  if (hasSafeBounds || !holdsFloats(type)) return castSql(cell, found, field, type)
  // Here the engine looks at files' bounds before it reads, also those of floats inside structs (see `withoutBounds`).
  return castSql(withoutBounds(cell), found, field, type)
}

function fieldOf({ source }: ScanColumn): FileField {
  if (source.kind !== 'file') throw new TypeError('only columns of files have a field')
  const { fieldId, names, missing, children } = source
  return {
    fieldId: fieldId!,
    ...(names === undefined ? {} : { names }),
    ...(missing === undefined ? {} : { missing }),
    ...(children === undefined ? {} : { children }),
  }
}

/** By id; by name only among columns none of which has an id, which is how files without ids look. */
function find(columns: readonly FooterColumn[], field: FileField): FooterColumn | undefined {
  const byId = columns.find((column) => column.fieldId === field.fieldId)
  if (byId !== undefined || field.names === undefined) return byId
  if (columns.some((column) => column.fieldId !== undefined)) return undefined
  return columns.find((column) => field.names!.includes(column.name))
}

const missingSql = ({ missing }: FileField, type: ColumnType) =>
  literalSql((missing ?? null) as Scalar | null, type)

/** A cell as the type that is wanted: fields picked and renamed by id, at every depth, then cast. */
function castSql(cell: string, found: FooterColumn, field: FileField, type: ColumnType): string {
  return `(${pickedSql(cell, found, field, type)})::${duckdbType(type)}`
}

function pickedSql(cell: string, found: FooterColumn, field: FileField, type: ColumnType): string {
  const { children } = field
  if (typeof type === 'string' || children === undefined) return cell
  switch (type.kind) {
    case 'struct': {
      const fields = type.columns.map((column, index) => {
        const inner = children[index]!
        const source = find(found.children, inner)
        const value =
          source === undefined
            ? missingSql(inner, column.type)
            : pickedSql(`(${cell}).${quoteIdentifier(source.name)}`, source, inner, column.type)
        return `${quoteIdentifier(column.name)} := ${value}`
      })
      return `CASE WHEN ${cell} IS NULL THEN NULL ELSE struct_pack(${fields.join(', ')}) END`
    }
    case 'list': {
      const element = pickedSql('e', found.children[0]!, children[0]!, type.element)
      return element === 'e' ? cell : `list_transform(${cell}, lambda e: ${element})`
    }
    case 'map': {
      const key = pickedSql('e.key', found.children[0]!, children[0]!, type.key)
      const value = pickedSql('e.value', found.children[1]!, children[1]!, type.value)
      if (key === 'e.key' && value === 'e.value') return cell
      const entry = `{key: ${key}, value: ${value}}`
      return `map_from_entries(list_transform(map_entries(${cell}), lambda e: ${entry}))`
    }
    case 'decimal':
      return cell
  }
}

function footerOf(footers: ReadonlyMap<string, Footer>, location: string): Footer {
  const footer = footers.get(location) ?? footers.get(withoutPatterns(location))
  if (footer === undefined) throw new TypeError(`the footer of ${location} was not read`)
  return footer
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>()
  for (const item of items) {
    const key = keyOf(item)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [item])
    else group.push(item)
  }
  return [...groups.values()]
}
