import { holdsFloats } from '../../model/column.ts'
import { columnsIn, type Predicate } from '../../model/predicate.ts'
import type { EqualityDelete, ScanColumn, ScanFile, ScanPlan } from '../../model/scan-plan.ts'
import { TableBrokenError, TableMismatchError, TableUnsupportedError } from '../errors.ts'
import type { ParquetPort } from '../parquet-port.ts'
import { deleteIndex, type FileDeletes } from './delete-index.ts'
import { FileFinder } from './file-finder.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import type { ManifestFile } from './manifest-list.ts'
import { liveEntries, manifestsOf } from './manifest-read.ts'
import type { Snapshot, TableMetadata } from './metadata.ts'
import { nameMappingOf } from './name-mapping.ts'
import { type BoundSpec, boundSpecs } from './partition-spec.ts'
import { readDeletedRows } from './position-deletes.ts'
import { scanColumn, scanSchema, slotValues } from './scan-columns.ts'
import { fieldsById, type IcebergSchema, type IcebergType } from './schema.ts'
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

export interface PlannedFile {
  readonly entry: ManifestEntry
  /** Path of the manifest that lists it. */
  readonly manifest: string
  readonly deletes: FileDeletes
}

/** As `planScan`, for those who change the files. */
export async function planFiles(
  context: ScanContext,
  options: ScanOptions = {},
  signal?: AbortSignal,
): Promise<PlannedFiles> {
  const { place, metadata, snapshot, schema } = context
  const table = place.tableKey
  const specs = boundSpecs(metadata, table)
  const { columns: all, slots } = scanSchema(
    schema,
    specs.values(),
    nameMappingOf(metadata, table),
    table,
  )
  const columns = projected(all, options.columns, table)
  const finder = new FileFinder(schema, specs, options.predicate, table)
  const found = await findFiles(context, finder, specs, signal)
  const data = found.data.map(({ entry }) => entry)
  const settledFor = (part: Predicate) => data.every(({ file }) => finder.surelyMatches(part, file))
  const unsettled = finder.parts.filter((part) => !settledFor(part))
  const residual = unsettled.length === 0 ? undefined : ({ kind: 'and', of: unsettled } as const)
  const index = deleteIndex(found.deletes, specs)
  const files = found.data.map((each) => ({ ...each, deletes: index.deletesFor(each.entry) }))
  const applied = await applyDeletes(context, files, signal)
  const safe = (shown: readonly ScanColumn[]) => withSafeBounds(shown, data, schema)
  const plan: ScanPlan = {
    table,
    version: snapshot === undefined ? 'empty' : String(snapshot['snapshot-id']),
    columns: safe(columns),
    residualColumns: safe(residual === undefined ? [] : hiddenColumns(residual, columns, all)),
    matchBy: 'field_id',
    files: data.map(({ file }, at) => ({
      location: locate(place, file.path),
      bytes: file.bytes,
      rowCount: file.recordCount,
      partitionValues: slotValues(slots, specs.get(file.specId)!, file.partition),
      ...applied.files[at],
    })),
    ...(applied.equalityDeletes.length === 0 ? {} : { equalityDeletes: applied.equalityDeletes }),
    residual,
    rowCount: applied.rowCount,
  }
  const isSure = data.map(({ file }) => unsettled.every((part) => finder.surelyMatches(part, file)))
  return { plan, columns: all, files, isSure, manifests: found.manifests }
}

/** Floats of which every file's metrics say that none is NaN. */
function withSafeBounds(
  columns: readonly ScanColumn[],
  data: readonly ManifestEntry[],
  schema: IcebergSchema,
): readonly ScanColumn[] {
  return columns.map((column) => {
    const { source } = column
    if (source.kind !== 'file' || !holdsFloats(column.type)) return column
    const field = schema.fields.find(({ id }) => id === source.fieldId)
    const floats = field === undefined ? [] : floatIds(field)
    const isSafe = data.every(({ file }) => floats.every((id) => file.nanCounts?.get(id) === 0))
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

interface AppliedDeletes {
  /** For each data file, what its `ScanFile` gets. */
  readonly files: readonly Pick<ScanFile, 'deletedRows' | 'equalityDeletes'>[]
  readonly equalityDeletes: readonly EqualityDelete[]
  readonly rowCount: number | undefined
}

async function applyDeletes(
  context: ScanContext,
  planned: readonly PlannedFile[],
  signal: AbortSignal | undefined,
): Promise<AppliedDeletes> {
  const positioned = planned.map(({ entry, deletes }) => ({ path: entry.file.path, ...deletes }))
  const rowsOf = await readDeletedRows(context, positioned, signal)
  const numbers = new Map<ContentFile, number>()
  for (const { deletes } of planned)
    for (const file of deletes.equalities) if (!numbers.has(file)) numbers.set(file, numbers.size)
  let rowCount = 0
  const files = planned.map(({ entry: { file }, deletes }) => {
    const positions = rowsOf.get(file.path)
    const equalityDeletes = deletes.equalities.map((each) => numbers.get(each)!)
    rowCount += file.recordCount - (positions?.length ?? 0)
    return {
      ...(positions === undefined ? {} : { deletedRows: { positions } }),
      ...(equalityDeletes.length === 0
        ? {}
        : { equalityDeletes: equalityDeletes.sort((a, b) => a - b) }),
    }
  })
  return {
    files,
    equalityDeletes: [...numbers.keys()].map((file) => equalityDelete(context, file)),
    rowCount: numbers.size === 0 ? rowCount : undefined,
  }
}

/** The columns may be gone from the schema and still count (table spec, "Equality Delete Files"). */
function equalityDelete(
  { place, metadata, schema }: ScanContext,
  file: ContentFile,
): EqualityDelete {
  const table = place.tableKey
  const newestFirst = [schema, ...[...metadata.schemas].reverse()].map(fieldsById)
  const mapping = nameMappingOf(metadata, table)
  const ids = file.equalityIds ?? []
  if (ids.length === 0)
    throw new TableBrokenError(
      `${file.path}, an equality delete file of ${table}, names no columns.`,
    )
  const columns = ids.map((id): ScanColumn => {
    const found = newestFirst.map((fields) => fields.get(id)).find((each) => each !== undefined)
    if (found === undefined)
      throw new TableBrokenError(
        `${file.path}, an equality delete file of ${table}, deletes by the column ${id}, which no schema has.`,
      )
    if (found.path.length > 1)
      throw new TableUnsupportedError(
        `${table} has equality deletes by ${found.path.join('.')}, inside a struct, which we cannot apply yet.`,
        ['equality deletes by nested columns'],
      )
    return scanColumn(found.field, mapping, table)
  })
  return { location: locate(place, file.path), bytes: file.bytes, columns }
}

function checkReadable(entries: readonly ManifestEntry[], table: string): void {
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
