import { TableBrokenError } from '../errors.ts'
import type { ParquetPort } from '../parquet-port.ts'
import { readDeletionVector } from './deletion-vector.ts'
import type { ContentFile } from './manifest.ts'
import { locate, type TableLocation } from './table-location.ts'

/** Delete files read at once. */
const READ_CONCURRENCY = 8

export interface PositionReader {
  readonly place: TableLocation
  readonly parquet: ParquetPort
}

/** A data file, and what deletes rows of it by position. */
export interface PositionedFile {
  readonly path: string
  readonly vector?: ContentFile
  readonly positions: readonly ContentFile[]
}

/**
 * Deleted rows by data file: their indexes, ascending, each once. Every delete file is read once, whatever the number of
 * data files it is about.
 *
 * @throws TableBrokenError when a deletion vector or delete file is damaged
 */
export async function readDeletedRows(
  reader: PositionReader,
  files: readonly PositionedFile[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, Float64Array>> {
  const found = new Map<string, Float64Array>()
  const wantedOf = new Map<ContentFile, Set<string>>()
  const readings: (() => Promise<void>)[] = []
  for (const { path, vector, positions } of files) {
    if (vector !== undefined)
      readings.push(async () => {
        found.set(path, await readDeletionVector(reader.place, vector, signal))
      })
    for (const file of positions) {
      const wanted = wantedOf.get(file)
      if (wanted === undefined) wantedOf.set(file, new Set([path]))
      else wanted.add(path)
    }
  }
  const collected = new Map<string, number[]>()
  for (const [file, wanted] of wantedOf)
    readings.push(() => collectPositions(reader, file, wanted, collected, signal))
  for (let start = 0; start < readings.length; start += READ_CONCURRENCY)
    await Promise.all(readings.slice(start, start + READ_CONCURRENCY).map((read) => read()))
  for (const [path, rows] of collected) found.set(path, ascending(rows))
  return found
}

async function collectPositions(
  { place, parquet }: PositionReader,
  file: ContentFile,
  wanted: ReadonlySet<string>,
  into: Map<string, number[]>,
  signal: AbortSignal | undefined,
): Promise<void> {
  let rowCount = 0
  for await (const chunk of parquet.readPositions(locate(place, file.path), signal)) {
    rowCount += chunk.positions.length
    if (!wanted.has(chunk.path)) continue
    const list = into.get(chunk.path) ?? []
    if (list.length === 0) into.set(chunk.path, list)
    for (const position of chunk.positions) list.push(position)
  }
  if (rowCount !== file.recordCount)
    throw new TableBrokenError(
      `${file.path}, a position delete file of ${place.tableKey}, holds ${rowCount} deletes instead of ` +
        `${file.recordCount}. The rows that are still there cannot be told; nothing was read.`,
    )
}

function ascending(rows: readonly number[]): Float64Array {
  const sorted = Float64Array.from(rows).sort()
  let end = 0
  for (const row of sorted) if (end === 0 || row !== sorted[end - 1]) sorted[end++] = row
  return sorted.subarray(0, end)
}
