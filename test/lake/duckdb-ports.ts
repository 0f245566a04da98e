import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdtemp, rm, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api'
import type {
  FieldCell,
  FieldChunk,
  ParquetField,
  ParquetPort,
  ReadFieldsRequest,
} from '../../src/lake/parquet-port.ts'
import type { ScratchPort } from '../../src/lake/scratch-port.ts'
import type { ColumnStatistics, StageFilesPort } from '../../src/lake/stage-files.ts'
import type { Columns } from '../../src/model/column.ts'
import type { Relation } from '../../src/model/relation.ts'
import { quoteIdentifier, quotePath, quoteText } from '../../src/sql/duckdb/quote-identifier.ts'
import { duckdbType } from '../../src/sql/duckdb/type-mapping.ts'

/** The lake's ports on a DuckDB of the test's own, as small as they can be. */
export interface TestEngine {
  readonly connection: DuckDBConnection
  readonly stageFiles: StageFilesPort
  readonly parquet: ParquetPort
  /** Run SQL, get row objects as JSON values. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  /** Make a relation from a query. */
  relation(sql: string, columns: Columns): Promise<Relation>
  close(): void
}

export async function openTestEngine(): Promise<TestEngine> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run(`SET TimeZone = 'UTC'`)
  const rows = async (sql: string) =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  return {
    connection,
    stageFiles: { stageFiles: (request) => stageFiles(rows, request) },
    parquet: {
      readFields: (request) => readFields(connection, request),
      writeJsonRows: (request) => writeJsonRows(connection, request),
    },
    rows,
    async relation(sql, columns) {
      const name = `relation_${randomUUID().replaceAll('-', '')}`
      await connection.run(`CREATE TABLE ${name} AS ${sql}`)
      const [{ count }] = (await rows(`SELECT count(*)::INTEGER AS count FROM ${name}`)) as [
        { count: number },
      ]
      return { name, columns, rowCount: count }
    },
    close() {
      connection.closeSync()
      instance.closeSync()
    },
  }
}

/** Scratch folders below a folder of the test's. */
export function scratchIn(folder: string): ScratchPort {
  return {
    async makeFolder() {
      const made = await mkdtemp(path.join(folder, 'scratch-'))
      return { path: made, [Symbol.asyncDispose]: () => rm(made, { recursive: true, force: true }) }
    },
  }
}

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

const stageFiles = async (
  rows: Rows,
  request: Parameters<StageFilesPort['stageFiles']>[0],
): Promise<Awaited<ReturnType<StageFilesPort['stageFiles']>>> => {
  const { relation, columns, partitionBy, directory, compression = 'zstd', orderBy = [] } = request
  const names = [...columns.map((column) => column.name), ...partitionBy].map(quoteIdentifier)
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(quoteIdentifier).join(', ')}`
  const ids = columns.flatMap((column) =>
    column.fieldId === undefined ? [] : [`${quoteIdentifier(column.name)}: ${column.fieldId}`],
  )
  const options = ['FORMAT parquet', `COMPRESSION ${compression}`, 'RETURN_STATS']
  if (ids.length > 0) options.push(`FIELD_IDS {${ids.join(', ')}}`)
  if (partitionBy.length > 0)
    options.push(`PARTITION_BY (${partitionBy.map(quoteIdentifier).join(', ')})`, 'OVERWRITE')
  const target = partitionBy.length > 0 ? directory : path.join(directory, 'data.parquet')
  const written = await rows(
    `COPY (SELECT ${names.join(', ')} FROM ${relation.name}${order}) TO ${quoteText(target)} (${options.join(', ')})`,
  )
  return written.map((file) => {
    const keys = entries(file.partition_keys)
    const rowCount = Number(file.count)
    return {
      path: String(file.filename),
      bytes: Number(file.file_size_bytes),
      rowCount,
      partitionValues: Object.fromEntries(
        partitionBy.map((name) => [name, hiveValue(keys.get(name) as string | null)]),
      ),
      columnStatistics: [...entries(file.column_statistics)].map(([name, value]) =>
        statisticsOf(name, entries(value)),
      ),
    }
  })
}

const hiveValue = (text: string | null) =>
  text === null || text === 'NULL' || text === '__HIVE_DEFAULT_PARTITION__' ? null : text

function entries(map: unknown): Map<string, unknown> {
  return new Map((map as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]))
}

function statisticsOf(name: string, facts: Map<string, unknown>): ColumnStatistics {
  const names = [...name.matchAll(/"((?:[^"]|"")*)"/g)].map((m) => m[1]!.replaceAll('""', '"'))
  const text = (fact: string) => facts.get(fact) as string | undefined
  const isExact = (fact: string) => text(fact) === undefined || text(fact) === 'true'
  return {
    path: names,
    valueCount: Number(text('num_values')),
    nullCount: Number(text('null_count')),
    ...(text('min') === undefined
      ? {}
      : { min: text('min')!, minIsExact: isExact('min_is_exact') }),
    ...(text('max') === undefined
      ? {}
      : { max: text('max')!, maxIsExact: isExact('max_is_exact') }),
    ...(text('has_nan') === undefined ? {} : { hasNan: text('has_nan') === 'true' }),
  }
}

async function* readFields(
  connection: DuckDBConnection,
  { location, fields, presentAny }: ReadFieldsRequest,
): AsyncIterable<FieldChunk> {
  const source = `read_parquet(${quoteText(location)}, hive_partitioning=false)`
  const known = await schemaOf(connection, source)
  const present = presentAny
    .filter((names) => isKnown(known, names))
    .map((names) => `${quotePath(names)} IS NOT NULL`)
  if (present.length === 0) return
  const cells = fields.map((field) => fieldSql(field, known))
  const result = await connection.stream(
    `SELECT ${cells.join(', ')} FROM ${source} WHERE ${present.join(' OR ')}`,
  )
  for (;;) {
    const chunk = await result.fetchChunk()
    if (chunk === null || chunk.rowCount === 0) return
    const columns = chunk.getColumns().map((column) => column.map(cellOf))
    yield { rowCount: chunk.rowCount, columns }
  }
}

const cellOf = (value: DuckDBValue): FieldCell =>
  typeof value === 'bigint' ? Number(value) : (value as FieldCell)

function fieldSql({ path: names, as }: ParquetField, known: ReadonlySet<string>): string {
  if (!isKnown(known, names)) return 'NULL'
  const cell = quotePath(names)
  switch (as) {
    case 'json':
      return `CASE WHEN ${cell} IS NULL THEN NULL ELSE to_json(${cell})::VARCHAR END`
    case 'text':
      return `${cell}::VARCHAR`
    case 'number':
      return `${cell}::DOUBLE`
    case 'boolean':
      return `${cell}::BOOLEAN`
  }
}

const isKnown = (known: ReadonlySet<string>, names: readonly string[]) =>
  known.has(JSON.stringify(names))

async function schemaOf(connection: DuckDBConnection, source: string): Promise<Set<string>> {
  const result = await connection.run(`SELECT * FROM ${source} LIMIT 0`)
  const known = new Set<string>()
  type Nested = { readonly entryNames?: readonly string[]; readonly entryTypes?: readonly Nested[] }
  const add = (names: readonly string[], type: Nested) => {
    known.add(JSON.stringify(names))
    for (const [index, name] of (type.entryNames ?? []).entries())
      add([...names, name], type.entryTypes![index]!)
  }
  for (const [index, name] of result.columnNames().entries())
    add([name], result.columnType(index) as Nested)
  return known
}

async function writeJsonRows(
  connection: DuckDBConnection,
  request: Parameters<ParquetPort['writeJsonRows']>[0],
): Promise<void> {
  const json = `${request.path}.json`
  const stream = createWriteStream(json)
  for (const row of request.rows) if (!stream.write(`${row}\n`)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'close')
  const types = request.columns.map(
    (column) => `${quoteText(column.name)}: ${quoteText(duckdbType(column.type))}`,
  )
  const bytes = (await stat(json)).size
  await connection.run(
    `COPY (SELECT * FROM read_json(${quoteText(json)}, format='newline_delimited', ` +
      `columns={${types.join(', ')}}, maximum_object_size=${Math.max(16_777_216, bytes + 1)})) ` +
      `TO ${quoteText(request.path)} (FORMAT parquet, COMPRESSION ${request.compression})`,
  )
  await unlink(json)
}
