import type { EqualityDelete, ScanColumn, ScanFile } from '../../model/scan-plan.ts'
import { TableBrokenError, TableUnsupportedError } from '../errors.ts'
import type { FileDeletes } from './delete-index.ts'
import type { ContentFile, ManifestEntry } from './manifest.ts'
import type { TableMetadata } from './metadata.ts'
import { nameMappingOf } from './name-mapping.ts'
import { type PositionReader, readDeletedRows } from './position-deletes.ts'
import { scanColumn } from './scan-columns.ts'
import { fieldsById, type IcebergSchema } from './schema.ts'
import { locate } from './table-location.ts'

export interface DeleteContext extends PositionReader {
  readonly metadata: TableMetadata
  readonly schema: IcebergSchema
}

/** A data file with the deletes that apply to it. */
export interface DeletableFile {
  readonly entry: ManifestEntry
  readonly deletes: FileDeletes
}

export interface AppliedDeletes {
  /** For each data file, what its `ScanFile` gets. */
  readonly files: readonly Pick<ScanFile, 'deletedRows' | 'equalityDeletes'>[]
  readonly equalityDeletes: readonly EqualityDelete[]
  readonly rowCount: number | undefined
}

/** What is deleted of some data files; reads their position deletes. */
export async function applyDeletes(
  context: DeleteContext,
  planned: readonly DeletableFile[],
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
  { place, metadata, schema }: DeleteContext,
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
