import { holdsFloats } from '../../model/column.ts'
import { columnsIn, type Predicate } from '../../model/predicate.ts'
import type { ScanColumn, ScanPlan } from '../../model/scan-plan.ts'
import { TableMismatchError, TableUnsupportedError } from '../errors.ts'
import type { ParquetPort } from '../parquet-port.ts'
import { applyDeletes, type DeletableFile } from './applied-deletes.ts'
import { deleteIndex } from './delete-index.ts'
import { FileFinder } from './file-finder.ts'
import type { ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { liveEntries, manifestsOf } from './manifest-read.ts'
import type { Snapshot, TableMetadata } from './metadata.ts'
import { nameMappingOf } from './name-mapping.ts'
import { type BoundSpec, boundSpecs } from './partition-spec.ts'
import { scanSchema, slotValues } from './scan-columns.ts'
import type { IcebergSchema, IcebergType } from './schema.ts'
import { locate, type TableLocation } from './table-location.ts'

export interface ScanOptions {
  /** Rows wanted. Default: all. */
  readonly predicate?: Predicate
  /** Columns wanted, by name. Default: all, in the table's order. */
  readonly columns?: readonly string[]
}

export interface ScanContext {
  readonly place: TableLocation
  readonly metadata: TableMetadata
  /** `undefined` for a table without snapshots: there is nothing to read. */
  readonly snapshot: Snapshot | undefined
  /** What the rows are to look like. */
  readonly schema: IcebergSchema
  /** To read position delete files. */
  readonly parquet: ParquetPort
}

/**
 * Which files to read for a scan, and what of them. Manifests are ruled out by partition summaries, files by
 * partition values and column bounds; reads the manifests that are left, position deletes of the chosen files, and
 * nothing else.
 *
 * @throws TableMismatchError when a column is unknown or a value has another type
 * @throws TableBrokenError when metadata is damaged
 * @throws TableUnsupportedError when a chosen file is not Parquet, or encrypted
 */
export async function planScan(
  context: ScanContext,
  options: ScanOptions = {},
  signal?: AbortSignal,
): Promise<ScanPlan> {
  return (await planFiles(context, options, signal)).plan
}

/** A plan, and what the table knows of its files. */
export interface PlannedFiles {
  readonly plan: ScanPlan
  /** All columns of the schema, whatever the plan projects. */
  readonly columns: readonly ScanColumn[]
  /** Behind each of the plan's files, in order. */
  readonly files: readonly PlannedFile[]
  /** For each file, whether the predicate is true for all of its rows. */
  readonly isSure: readonly boolean[]
  /** Every manifest of the snapshot, whether or not it was read. */
  readonly manifests: ReadonlySet<string>
}

export interface PlannedFile extends DeletableFile {
  /** Path of the manifest that lists it. */
  readonly manifest: string
}

/** As `planScan`, for those who change the files. */
export async function planFiles(
  context: ScanContext,
  options: ScanOptions = {},
  signal?: AbortSignal,
): Promise<PlannedFiles> {
  const { place, metadata, schema } = context
  const specs = boundSpecs(metadata, place.tableKey)
  const finder = new FileFinder(schema, specs, options.predicate, place.tableKey)
  const found = await findFiles(context, finder, specs, signal)
  const index = deleteIndex(found.deletes, specs)
  const files = found.data.map((each) => ({ ...each, deletes: index.deletesFor(each.entry) }))
  const { columns } = schemaOf(context)
  const isSure = files.map(({ entry }) => finder.surelyMatchesAll(entry.file))
  const plan = await planOf(context, finder, files, options, signal)
  return { plan, columns, files, isSure, manifests: found.manifests }
}

/** As `planScan`, of data files that are known, as they were when they came. */
export async function planAdded(
  context: ScanContext,
  added: readonly ManifestEntry[],
  options: ScanOptions,
  signal?: AbortSignal,
): Promise<ScanPlan> {
  const { place, metadata, schema } = context
  const specs = boundSpecs(metadata, place.tableKey)
  const finder = new FileFinder(schema, specs, options.predicate, place.tableKey)
  const wanted = added.filter(({ file }) => finder.mayMatch(file))
  checkReadable(wanted, place.tableKey)
  const deletes = { positions: [], equalities: [] }
  const files = wanted.map((entry) => ({ entry, deletes }))
  return planOf(context, finder, files, options, signal)
}

async function planOf(
  context: ScanContext,
  finder: FileFinder,
  files: readonly DeletableFile[],
  options: ScanOptions,
  signal: AbortSignal | undefined,
): Promise<ScanPlan> {
  const { columns: all } = schemaOf(context)
  const columns = projected(all, options.columns, context.place.tableKey)
  const unsettled = finder.parts.filter(
    (part) => !files.every(({ entry }) => finder.surelyMatches(part, entry.file)),
  )
  const residual = unsettled.length === 0 ? undefined : ({ kind: 'and', of: unsettled } as const)
  const safe = (shown: readonly ScanColumn[]) => withSafeBounds(shown, files, context.schema)
  return {
    ...(await wholeFilesPlan(context, files, signal)),
    columns: safe(columns),
    residualColumns: safe(residual === undefined ? [] : hiddenColumns(residual, columns, all)),
    residual,
  }
}

const schemaOf = ({ place, metadata, schema }: ScanContext) => {
  const table = place.tableKey
  const specs = boundSpecs(metadata, table).values()
  return scanSchema(schema, specs, nameMappingOf(metadata, table), table)
}

/** All columns and rows of some files, but for the rows that their deletes delete. */
export async function wholeFilesPlan(
  context: ScanContext,
  files: readonly DeletableFile[],
  signal?: AbortSignal,
): Promise<ScanPlan> {
  const { place, metadata, snapshot, schema } = context
  const { columns, slots } = schemaOf(context)
  const specs = boundSpecs(metadata, place.tableKey)
  const { files: deleted, equalityDeletes, rowCount } = await applyDeletes(context, files, signal)
  return {
    table: place.tableKey,
    version: snapshot === undefined ? 'empty' : String(snapshot['snapshot-id']),
    columns: withSafeBounds(columns, files, schema),
    residualColumns: [],
    matchBy: 'field_id',
    files: files.map(({ entry: { file } }, at) => ({
      location: locate(place, file.path),
      bytes: file.bytes,
      rowCount: file.recordCount,
      partitionValues: slotValues(slots, specs.get(file.specId)!, file.partition),
      ...deleted[at],
    })),
    ...(equalityDeletes.length === 0 ? {} : { equalityDeletes }),
    residual: undefined,
    rowCount,
  }
}

/** Floats of which every file's metrics say that none is NaN. */
function withSafeBounds(
  columns: readonly ScanColumn[],
  files: readonly DeletableFile[],
  schema: IcebergSchema,
): readonly ScanColumn[] {
  return columns.map((column) => {
    const { source } = column
    if (source.kind !== 'file' || !holdsFloats(column.type)) return column
    const field = schema.fields.find(({ id }) => id === source.fieldId)
    const floats = field === undefined ? [] : floatIds(field)
    const isSafe = files.every(({ entry: { file } }) =>
      floats.every((id) => file.nanCounts?.get(id) === 0),
    )
    return isSafe ? { ...column, source: { ...source, hasSafeBounds: true } } : column
  })
}

function floatIds({ id, type }: { readonly id: number; readonly type: IcebergType }): number[] {
  if (typeof type === 'string') return type === 'float' || type === 'double' ? [id] : []
  switch (type.type) {
    case 'struct':
      return type.fields.flatMap(floatIds)
    case 'list':
      return floatIds({ id: type['element-id'], type: type.element })
    case 'map':
      return [
        ...floatIds({ id: type['key-id'], type: type.key }),
        ...floatIds({ id: type['value-id'], type: type.value }),
      ]
  }
}

interface FoundFiles {
  readonly data: readonly Omit<PlannedFile, 'deletes'>[]
  readonly deletes: readonly ManifestEntry[]
  readonly manifests: ReadonlySet<string>
}

async function findFiles(
  { place, snapshot }: ScanContext,
  finder: FileFinder,
  specs: ReadonlyMap<number, BoundSpec>,
  signal: AbortSignal | undefined,
): Promise<FoundFiles> {
  if (snapshot === undefined) return { data: [], deletes: [], manifests: new Set() }
  const all = await manifestsOf(place, snapshot, signal)
  const matching = async (content: ManifestFile['content']) => {
    const found: Omit<PlannedFile, 'deletes'>[] = []
    const wanted = all.filter((each) => each.content === content && finder.mayHold(each))
    let next = 0
    for await (const entries of liveEntries(place, wanted, specs, signal)) {
      const manifest = wanted[next++]!.path
      for (const entry of entries) if (finder.mayMatch(entry.file)) found.push({ entry, manifest })
    }
    return found
  }
  const data = await matching('data')
  const deletes = data.length === 0 ? [] : (await matching('deletes')).map(({ entry }) => entry)
  checkReadable([...data.map(({ entry }) => entry), ...deletes], place.tableKey)
  return { data, deletes, manifests: new Set(all.map(({ path }) => path)) }
}

/** @throws TableUnsupportedError for files that we do not read */
export function checkReadable(entries: readonly ManifestEntry[], table: string): void {
  for (const { file } of entries) {
    const isParquet = file.format === 'parquet'
    if (file.keyMetadata !== undefined)
      throw new TableUnsupportedError(`${file.path} of ${table} is encrypted.`, ['encryption'])
    if (!isParquet && !(file.content === 'position_deletes' && file.format === 'puffin'))
      throw new TableUnsupportedError(
        `${file.path} of ${table} is a file of format ${file.format}; we read Parquet.`,
        [`file format ${file.format}`],
      )
  }
}

function projected(
  all: readonly ScanColumn[],
  names: readonly string[] | undefined,
  table: string,
): readonly ScanColumn[] {
  if (names === undefined) return all
  const unknown = names.filter((name) => !all.some((column) => column.name === name))
  if (unknown.length === 0) return names.map((name) => all.find((column) => column.name === name)!)
  throw new TableMismatchError(`Planning a scan of ${table}`, [
    ...unknown.map((name) => `there is no column ${name}`),
    `it has ${all.map((column) => column.name).join(', ')}`,
  ])
}

function hiddenColumns(
  residual: Predicate,
  columns: readonly ScanColumn[],
  all: readonly ScanColumn[],
): readonly ScanColumn[] {
  const shown = new Set(columns.map((column) => column.name))
  const needed = new Set(columnsIn(residual).map((path) => path[0]!))
  return all.filter(({ name }) => needed.has(name) && !shown.has(name))
}
