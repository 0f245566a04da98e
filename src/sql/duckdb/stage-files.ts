import { mkdir, readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import type { DuckDBMapValue, DuckDBValue } from '@duckdb/node-api'
import { type Column, sameColumnType } from '../../model/column.ts'
import type { FieldIds } from '../../model/field-ids.ts'
import type { Relation } from '../../model/relation.ts'
import type { ComputeEngine, EngineConnection } from './engine.ts'
import { NUMBER_COLUMN, numberPartitions } from './partition-numbers.ts'
import { type DerivedValue, derivedSql } from './partition-transform.ts'
import { quoteIdentifier, quoteText } from './quote-identifier.ts'
import { duckdbType } from './type-mapping.ts'

// Relations become Parquet files here, and DuckDB tells what it wrote while it writes, so that no file is ever read again for
// its statistics. Fills the lake's `StageFilesPort`; the types are spelled out once more because rooms do not import
// each other, and a test keeps the two equal.

export interface FileStager {
  /** @throws EngineIoError, EngineMemoryError, EngineInterruptedError; files may be left in the directory then */
  stageFiles(request: FileStageRequest, signal?: AbortSignal): Promise<readonly WrittenFile[]>
}

export interface FileStageRequest {
  readonly relation: Relation
  readonly columns: readonly (Column & Partial<FieldIds>)[]
  readonly partitionBy: readonly string[]
  readonly derived?: readonly DerivedValue[]
  readonly directory: string
  readonly fileBytesTarget: number
  readonly compression?: 'zstd' | 'snappy'
  /** Rows are sorted within each row group; the groups of one file may be in any order, unless `isOrdered`. */
  readonly orderBy?: readonly string[]
  readonly isOrdered?: boolean
}

export interface WrittenFile {
  readonly path: string
  readonly bytes: number
  readonly rowCount: number
  readonly partitionValues: Readonly<Record<string, string | null>>
  readonly columnStatistics: readonly WrittenColumn[]
}

/**
 * Statistics of one leaf column as DuckDB wrote them into the footer. Bounds are text: instants as `2023-11-29 05:09:27.89+00`, booleans `0`
 * and `1`, binary as hexadecimal. Lists have the leaf `element`, maps `key` and `value`.
 */
export interface WrittenColumn {
  readonly path: readonly string[]
  readonly valueCount: number
  readonly nullCount: number
  readonly min?: string
  readonly max?: string
  readonly minIsExact?: boolean
  readonly maxIsExact?: boolean
  readonly hasNan?: boolean
  readonly columnBytes?: number
}

/** DuckDB cuts bounds at 256 bytes and does not say so; a cut may take up to a whole character more. */
const EXACT_BOUND_BYTES_MAX = 250

/** A partition's file may be so much larger than the target before it is written again in pieces. */
const OVERSIZE_FACTOR = 1.5

/** The stager of an engine. Calls may run at once; each has a connection of its own. */
export function fileStager(engine: ComputeEngine): FileStager {
  return Object.freeze({
    async stageFiles(request: FileStageRequest, signal?: AbortSignal) {
      if (request.relation.rowCount === 0) return []
      const connection = await engine.connection()
      try {
        const files =
          request.partitionBy.length === 0
            ? await copyInPieces(connection, request, request.directory, 'true', {}, signal)
            : await copyPartitions(connection, request, signal)
        return request.isOrdered === true
          ? await orderedFiles(connection, request, files, signal)
          : files
      } finally {
        connection.close()
      }
    },
  })
}

/**
 * One folder, as many files as the target size makes. A file ends with a row group; where rows are so wide that one of the usual length
 * is far beyond the target, the rows are written once more in shorter ones. Where memory is short, one thread writes them, in row groups
 * of fewer bytes.
 */
async function copyInPieces(
  connection: EngineConnection,
  request: FileStageRequest,
  directory: string,
  condition: string,
  partitionValues: WrittenFile['partitionValues'],
  signal: AbortSignal | undefined,
  rowGroupRowCount = ROW_GROUP_ROW_COUNT,
): Promise<readonly WrittenFile[]> {
  const { columns, fileBytesTarget } = request
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ')
  const copy = (rowGroupBytes: number) =>
    `COPY (SELECT ${names} FROM ${sourceSql(request)} WHERE ${condition}${orderSql(request)}) TO ${quoteText(directory)} ` +
    `(${formatSql(request)}, ROW_GROUP_SIZE ${rowGroupRowCount}, ROW_GROUP_SIZE_BYTES ${rowGroupBytes}, FILE_SIZE_BYTES ${Math.max(1, Math.floor(fileBytesTarget))})`
  const again = async () => {
    await empty(directory)
    return copy(NARROW_ROW_GROUP_BYTES)
  }
  const rows = await connection.make(copy(ROW_GROUP_BYTES), { signal, again })
  const files = writtenFiles(await rows.getRows(), request, partitionValues)
  const shorter = rowGroupFor(files, fileBytesTarget)
  if (shorter >= rowGroupRowCount) return files
  for (const { path: file } of files) await rm(file)
  return copyInPieces(
    ...([connection, request, directory, condition, partitionValues, signal] as const),
    shorter,
  )
}

/** What a statement left that ran out of memory; the folder holds nothing else yet. */
async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory))
    await rm(path.join(directory, name), { recursive: true })
}

/** Rows of a row group of about the target size, or the usual count when the files are not far beyond the target. */
function rowGroupFor(files: readonly WrittenFile[], fileBytesTarget: number): number {
  const isTooLarge = files.some(({ bytes }) => bytes > OVERSIZE_FACTOR * fileBytesTarget)
  if (!isTooLarge) return ROW_GROUP_ROW_COUNT
  const sum = (of: (file: WrittenFile) => number) =>
    files.reduce((total, file) => total + of(file), 0)
  const wanted = (fileBytesTarget * sum(({ rowCount }) => rowCount)) / sum(({ bytes }) => bytes)
  const vectors = Math.max(1, Math.floor(wanted / VECTOR_ROW_COUNT))
  return Math.min(ROW_GROUP_ROW_COUNT, vectors * VECTOR_ROW_COUNT)
}

async function copyPartitions(
  connection: EngineConnection,
  request: FileStageRequest,
  signal: AbortSignal | undefined,
): Promise<readonly WrittenFile[]> {
  const { columns, partitionBy, directory } = request
  const stored = columns.filter((column) => !partitionBy.includes(column.name))
  const only = await onlyPartition(connection, request, signal)
  if (only !== undefined) {
    const whole = { ...request, columns: stored }
    return copyInPieces(connection, whole, directory, 'true', only, signal)
  }
  if (!hasTextKeys(request)) return copyByValue(connection, { ...request, columns: stored }, signal)
  const source = { source: sourceSql(request), relation: request.relation }
  const { relation, values } = await numberPartitions(connection, source, partitionBy, signal)
  const numbered = {
    ...request,
    // As wide as they are to be, and with what is derived.
    relation: { ...relation, columns },
    derived: [],
    columns: stored,
    partitionBy: [NUMBER_COLUMN],
  }
  const files = await copyByValue(connection, numbered, signal)
  return files.map((file) => ({
    ...file,
    partitionValues: values.get(file.partitionValues[NUMBER_COLUMN]!)!,
  }))
}

/** Numbers and days are good names for folders. */
function hasTextKeys({ partitionBy, relation, derived = [] }: FileStageRequest): boolean {
  const types = new Map([...relation.columns, ...derived].map(({ name, type }) => [name, type]))
  const numeric = new Set(
    derived.filter(({ transform }) => !/identity|truncate/.test(transform)).map(({ name }) => name),
  )
  return partitionBy.some((name) => {
    const type = types.get(name)
    return !numeric.has(name) && (type === 'string' || type === 'binary')
  })
}

/** DuckDB splits rows by their values in one pass; only partitions that grew too large are written again, in pieces. */
async function copyByValue(
  connection: EngineConnection,
  request: FileStageRequest,
  signal: AbortSignal | undefined,
): Promise<readonly WrittenFile[]> {
  const { columns: stored, partitionBy, directory, fileBytesTarget } = request
  const names = [...stored.map((column) => column.name), ...partitionBy].map(quoteIdentifier)
  const keys = partitionBy.map(quoteIdentifier).join(', ')
  const result = await connection.run(
    `COPY (SELECT ${names.join(', ')} FROM ${sourceSql(request)}${orderSql(request)}) TO ${quoteText(directory)} ` +
      `(${formatSql(request)}, ROW_GROUP_SIZE_BYTES ${ROW_GROUP_BYTES}, PARTITION_BY (${keys}))`,
    { signal },
  )
  const files: WrittenFile[] = []
  for (const file of writtenFiles(await result.getRows(), request)) {
    if (file.bytes <= OVERSIZE_FACTOR * fileBytesTarget || file.rowCount <= VECTOR_ROW_COUNT) {
      files.push(file)
      continue
    }
    await rm(file.path)
    const folder = path.join(directory, `split-${files.length}`)
    await mkdir(folder)
    const whose = partitionBy.map((name) => {
      const value = file.partitionValues[name]
      const equal = value === null ? 'IS NULL' : `= ${quoteText(value ?? '')}`
      return `${quoteIdentifier(name)}::VARCHAR ${equal}`
    })
    files.push(
      ...(await copyInPieces(
        connection,
        request,
        folder,
        whose.join(' AND '),
        file.partitionValues,
        signal,
      )),
    )
  }
  return files
}

/** The same files with the rows of each in order throughout: those of several row groups are written once more. */
async function orderedFiles(
  connection: EngineConnection,
  request: FileStageRequest,
  files: readonly WrittenFile[],
  signal: AbortSignal | undefined,
): Promise<readonly WrittenFile[]> {
  const ordered: WrittenFile[] = []
  for (const file of files) {
    if (file.rowCount <= ROW_GROUP_ROW_COUNT) {
      ordered.push(file)
      continue
    }
    const target = `${file.path}.ordered`
    const rows = await connection.run(
      `COPY (FROM read_parquet(${quoteText(file.path)}, hive_partitioning=false)${orderSql(request)}) ` +
        `TO ${quoteText(target)} (${formatSql(request, 'PRESERVE_ORDER true')})`,
      { signal },
    )
    await rm(file.path)
    ordered.push(...writtenFiles(await rows.getRows(), request, file.partitionValues))
  }
  return ordered
}

/**
 * The values of the one partition that all rows belong to, or `undefined` when there are several. Asking costs little, and rows of one
 * partition, as a stream's mostly are, need not be sorted into folders.
 */
async function onlyPartition(
  connection: EngineConnection,
  request: FileStageRequest,
  signal: AbortSignal | undefined,
): Promise<WrittenFile['partitionValues'] | undefined> {
  const { partitionBy, relation } = request
  const facts = partitionBy
    .map(quoteIdentifier)
    .map((key) => `min(${key}), max(${key}), count(${key})`)
  const texts = `SELECT COLUMNS(*)::VARCHAR FROM (SELECT ${facts.join(', ')} FROM ${sourceSql(request)})`
  const [row] = await connection.rows(texts, signal)
  const values: Record<string, string | null> = {}
  for (const [index, name] of partitionBy.entries()) {
    const [min, max, count] = row!.slice(3 * index, 3 * index + 3) as (string | null)[]
    if (min !== max || (Number(count) !== relation.rowCount && min !== null)) return undefined
    values[name] = min!
  }
  return values
}

/** DuckDB's default; a file cannot be cut inside a row group. */
const ROW_GROUP_ROW_COUNT = 122_880
/**
 * Wide rows make shorter row groups: each thread that writes holds one in memory, and one that reads unpacks whole column chunks. Rows of a quarter
 * kilobyte still come in the usual count.
 */
const ROW_GROUP_BYTES = 32 * 1024 * 1024
/** Where that was too much for the engine's memory. */
const NARROW_ROW_GROUP_BYTES = 8 * 1024 * 1024
/** The fewest rows that DuckDB makes a row group of. */
const VECTOR_ROW_COUNT = 2_048

/** The relation with its numbers as wide as the files are to have them, and with the derived columns. */
function sourceSql({ relation, columns, derived = [] }: FileStageRequest): string {
  const given = new Map(relation.columns.map((column) => [column.name, column.type]))
  const widened = columns
    .filter(({ name, type }) => given.has(name) && !sameColumnType(given.get(name)!, type))
    .map(
      ({ name, type }) =>
        `${quoteIdentifier(name)}::${duckdbType(type)} AS ${quoteIdentifier(name)}`,
    )
  if (widened.length === 0 && derived.length === 0) return relation.name
  const replaced = widened.length === 0 ? '' : ` REPLACE (${widened.join(', ')})`
  const made = derived.map((each) => `, ${derivedSql(each)} AS ${quoteIdentifier(each.name)}`)
  return `(SELECT *${replaced}${made.join('')} FROM ${relation.name})`
}

/** Ids as `COPY` wants them: a number, or for nested columns a struct with the number under a name of DuckDB's. */
function fieldIdsSql({ fieldId, children }: FieldIds, type: Column['type']): string {
  if (children === undefined || typeof type === 'string' || type.kind === 'decimal')
    return String(fieldId)
  const inner =
    type.kind === 'struct'
      ? type.columns.map((column) => [column.name, column.type] as const)
      : type.kind === 'list'
        ? [['element', type.element] as const]
        : [['key', type.key] as const, ['value', type.value] as const]
  const parts = inner.map(
    ([name, innerType], index) =>
      `${quoteIdentifier(name)}: ${fieldIdsSql(children[index]!, innerType)}`,
  )
  return `{__duckdb_field_id: ${fieldId}, ${parts.join(', ')}}`
}

function orderSql({ orderBy = [] }: FileStageRequest): string {
  return orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(quoteIdentifier).join(', ')}`
}

/** zstd's lowest level: on rows of events it makes files as small as the default level does, in a third less time. */
const COMPRESSION = Object.freeze({
  zstd: 'COMPRESSION zstd, COMPRESSION_LEVEL 1',
  snappy: 'COMPRESSION snappy',
})

/** Texts that differ from row to row are given up on sooner; categories fit in many times over. */
const DICTIONARY_BYTES_MAX = 64 * 1024

function formatSql(
  { columns, compression = 'zstd' }: FileStageRequest,
  naming = "FILENAME_PATTERN 'part-{uuid}'",
): string {
  const ids = columns
    .filter((column) => column.fieldId !== undefined)
    .map(
      (column) =>
        `${quoteIdentifier(column.name)}: ${fieldIdsSql(column as FieldIds, column.type)}`,
    )
  const fieldIds = ids.length === 0 ? '' : `, FIELD_IDS {${ids.join(', ')}}`
  // Unique names, because DuckDB puts the rows of a null and of the text `__HIVE_DEFAULT_PARTITION__` into one folder.
  return `FORMAT parquet, ${COMPRESSION[compression]}, STRING_DICTIONARY_PAGE_SIZE_LIMIT ${DICTIONARY_BYTES_MAX}, RETURN_STATS, ${naming}${fieldIds}`
}

function writtenFiles(
  rows: readonly DuckDBValue[][],
  { partitionBy, columns }: FileStageRequest,
  partitionValues?: WrittenFile['partitionValues'],
): readonly WrittenFile[] {
  const text = new Set(
    columns
      .filter((c) => typeof c.type !== 'string' || /^(string|binary)$/.test(c.type))
      .map((c) => c.name),
  )
  return rows.map(([file, count, bytes, _footer, statistics, keys]) => {
    const values = new Map((keys as DuckDBMapValue | null)?.entries.map((e) => [e.key, e.value]))
    return {
      path: file as string,
      bytes: Number(bytes),
      rowCount: Number(count),
      partitionValues:
        partitionValues ??
        Object.fromEntries(partitionBy.map((name) => [name, (values.get(name) as string) ?? null])),
      columnStatistics: (statistics as DuckDBMapValue).entries.map((entry) =>
        writtenColumn(entry.key as string, entry.value as DuckDBMapValue, text),
      ),
    }
  })
}

function writtenColumn(
  key: string,
  facts: DuckDBMapValue,
  textColumns: ReadonlySet<string>,
): WrittenColumn {
  const fact = new Map(facts.entries.map((e) => [e.key as string, e.value as string]))
  const names = splitQuotedPath(key)
  const mayBeCut = textColumns.has(names[0]!)
  const [min, max] = [fact.get('min'), fact.get('max')]
  const exact = (bound: string) => !mayBeCut || Buffer.byteLength(bound) <= EXACT_BOUND_BYTES_MAX
  const columnBytes = fact.get('column_size_bytes')
  return {
    path: names,
    valueCount: Number(fact.get('num_values')),
    nullCount: Number(fact.get('null_count')),
    ...(min === undefined ? {} : { min, minIsExact: exact(min) }),
    ...(max === undefined ? {} : { max, maxIsExact: exact(max) }),
    ...(fact.get('has_nan') === 'true' ? { hasNan: true } : {}),
    ...(columnBytes === undefined ? {} : { columnBytes: Number(columnBytes) }),
  }
}

/** `"st"."m""q"."key"` as its names. */
export function splitQuotedPath(quoted: string): readonly string[] {
  return [...quoted.matchAll(/"((?:[^"]|"")*)"(?:\.|$)/g)].map((m) => m[1]!.replaceAll('""', '"'))
}
