import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { stat, unlink } from 'node:fs/promises'
import type { DuckDBType, DuckDBValue } from '@duckdb/node-api'
import type { Columns } from '../../model/column.ts'
import { quoteIdentifier, quotePath, quoteText } from './quote-identifier.ts'
import { readableFile, withoutPatterns } from './remote-files.ts'
import { duckdbType } from './type-mapping.ts'

// Small Parquet tables for the lake's own log: some fields of them as JavaScript values, and JSON rows into them. Fills the lake's
// `ParquetPort`; the types are spelled out once more because rooms do not import each other.

/** What we need of a connection to DuckDB, which we open for each call and close after it. */
export interface TableConnection {
  open(
    sql: string,
    signal?: AbortSignal,
  ): Promise<{
    readonly names: readonly string[]
    readonly types: readonly DuckDBType[]
    readonly chunks: AsyncIterable<{ getRows(): DuckDBValue[][]; getColumns(): DuckDBValue[][] }>
  }>
  run(sql: string, options?: { readonly signal?: AbortSignal | undefined }): Promise<unknown>
  close(): void
}

export interface FieldsRequest {
  readonly location: string
  readonly fields: readonly Field[]
  readonly presentAny: readonly (readonly string[])[]
}

export interface Field {
  readonly path: readonly string[]
  readonly inside?: readonly string[]
  readonly as: 'text' | 'number' | 'boolean' | 'json' | 'integer' | 'days' | 'micros'
}

export interface Fields {
  readonly rowNumbers: readonly number[]
  readonly columns: readonly (readonly (string | number | bigint | boolean | null)[])[]
}

export interface JsonRowsRequest {
  readonly path: string
  readonly columns: Columns
  readonly rows: AsyncIterable<string>
  readonly compression: 'zstd' | 'snappy'
  readonly parsed?: {
    readonly struct: string
    readonly field: string
    readonly as: string
    readonly columns: Columns
  }
}

export interface PositionsRequest {
  readonly path: string
  readonly fieldIds: { readonly path: number; readonly position: number }
  readonly chunks: Iterable<{
    readonly path: string
    readonly positions: readonly number[] | Float64Array
  }>
}

export interface ParquetTables {
  readFields(request: FieldsRequest, signal?: AbortSignal): AsyncIterable<Fields>
  readPositions(
    location: string,
    signal?: AbortSignal,
  ): AsyncIterable<{ readonly path: string; readonly positions: readonly number[] }>
  writePositions(request: PositionsRequest, signal?: AbortSignal): Promise<void>
  writeJsonRows(request: JsonRowsRequest, signal?: AbortSignal): Promise<void>
}

export function parquetTables(connect: () => Promise<TableConnection>): ParquetTables {
  return Object.freeze({
    async *readFields(request: FieldsRequest, signal?: AbortSignal) {
      const connection = await connect()
      try {
        yield* readFields(connection, request, signal)
      } finally {
        connection.close()
      }
    },
    async *readPositions(location: string, signal?: AbortSignal) {
      const connection = await connect()
      try {
        yield* readPositions(connection, location, signal)
      } finally {
        connection.close()
      }
    },
    async writePositions(request: PositionsRequest, signal?: AbortSignal) {
      const connection = await connect()
      try {
        await writePositions(connection, request, signal)
      } finally {
        connection.close()
      }
    },
    async writeJsonRows(request: JsonRowsRequest, signal?: AbortSignal) {
      const connection = await connect()
      try {
        await writeJsonRows(connection, request, signal)
      } finally {
        connection.close()
      }
    },
  })
}

/** Chunks as the engine has them, so that a file of any size passes through in the memory of a few; numbers are cheaper than text. */
async function* readFields(
  connection: TableConnection,
  { location, fields, presentAny }: FieldsRequest,
  signal: AbortSignal | undefined,
): AsyncIterable<Fields> {
  const source = `read_parquet(${readableFile(location)}, hive_partitioning=false)`
  const schema = await connection.open(`SELECT * FROM ${source} LIMIT 0`, signal)
  const known = knownPaths(schema.names, schema.types)
  const typeOf = (path: readonly string[]) => known.get(JSON.stringify(path))
  const present = presentAny
    .filter((path) => typeOf(path) !== undefined)
    .map((path) => `${quotePath(path)} IS NOT NULL`)
  if (present.length === 0) return
  const { selected, cells } = selectedSql(
    fields.map((field) => ({ ...field, type: typeOf(field.path) })),
  )
  const found = cells.flatMap((cell) => cell ?? [])
  const { chunks } = await connection.open(
    `SELECT r, ${['0', ...found].join(', ')} FROM ` +
      `(SELECT ${['file_row_number::DOUBLE AS r', ...selected].join(', ')} FROM ${source} ` +
      `WHERE ${present.join(' OR ')})`,
    signal,
  )
  for await (const chunk of chunks) {
    const [numbers, , ...columns] = chunk.getColumns()
    let next = 0
    yield {
      rowNumbers: numbers as number[],
      columns: cells.map((cell) =>
        cell === undefined
          ? new Array<null>(numbers!.length).fill(null)
          : (columns[next++] as (string | number | bigint | boolean | null)[]),
      ),
    }
  }
}

/** Positions that become one JSON text, with their path said once. */
const POSITIONS_PER_TEXT = 65_536

async function* readPositions(
  connection: TableConnection,
  location: string,
  signal: AbortSignal | undefined,
): AsyncIterable<{ readonly path: string; readonly positions: readonly number[] }> {
  const { chunks } = await connection.open(
    'SELECT file_path, to_json(list(pos))::VARCHAR ' +
      `FROM read_parquet(${readableFile(location)}, hive_partitioning=false) ` +
      `GROUP BY file_path, file_row_number // ${POSITIONS_PER_TEXT}`,
    signal,
  )
  for await (const chunk of chunks)
    for (const [path, text] of chunk.getRows())
      yield { path: path as string, positions: JSON.parse(text as string) as number[] }
}

async function writePositions(
  connection: TableConnection,
  { path, fieldIds, chunks }: PositionsRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const json = `${path}.ndjson`
  async function* lines() {
    for (const { path: file, positions } of chunks)
      for (let start = 0; start < positions.length; start += POSITIONS_PER_TEXT)
        yield JSON.stringify({
          p: file,
          r: [...positions.slice(start, start + POSITIONS_PER_TEXT)],
        })
  }
  try {
    await writeLines(json, lines(), signal)
    const { size } = await stat(json)
    const source =
      `read_json(${quoteText(withoutPatterns(json))}, format='newline_delimited', ` +
      `columns={p: 'VARCHAR', r: 'BIGINT[]'}, maximum_object_size=${Math.max(OBJECT_BYTES_MAX, size)})`
    await connection.run(
      `COPY (SELECT p AS file_path, unnest(r) AS pos FROM ${source} ORDER BY ALL) TO ${quoteText(path)} ` +
        `(FORMAT parquet, COMPRESSION zstd, PRESERVE_ORDER true, FIELD_IDS {file_path: ${fieldIds.path}, pos: ${fieldIds.position}})`,
      { signal },
    )
  } finally {
    await unlink(json).catch(() => {})
  }
}

/** What to select from the file, and where each field is in it. Fields inside one JSON text are found in one parse. */
function selectedSql(fields: readonly (Field & { readonly type: string | undefined })[]): {
  selected: string[]
  cells: (string | undefined)[]
} {
  const selected: string[] = []
  const pointers = new Map<string, { readonly name: string; readonly inside: string[] }>()
  const cells = fields.map((field, index) => {
    if (field.type === undefined) return undefined
    if (field.inside === undefined) {
      const sql = fieldSql(field, field.type)
      if (sql === undefined) return undefined
      selected.push(`${sql} AS c${index}`)
      return `c${index}`
    }
    const text = quotePath(field.path)
    const group = pointers.get(text) ?? { name: `j${index}`, inside: [] }
    pointers.set(text, group)
    group.inside.push(quoteText(jsonPointer(field.inside)))
    return `${group.name}[${group.inside.length}]`
  })
  for (const [text, { name, inside }] of pointers)
    selected.push(`json_extract_string(${text}, [${inside.join(', ')}]) AS ${name}`)
  return { selected, cells }
}

/** `undefined` when a column of the file's type holds no such values. */
function fieldSql({ path, as }: Field, type: string): string | undefined {
  const cell = quotePath(path)
  switch (as) {
    case 'json':
      return `CASE WHEN ${cell} IS NULL THEN NULL ELSE to_json(${cell})::VARCHAR END`
    case 'text':
      return `${cell}::VARCHAR`
    case 'number':
      return `${cell}::DOUBLE`
    case 'boolean':
      return `${cell}::BOOLEAN`
    case 'integer':
      return /^(TINY|SMALL|BIG|)INT(EGER)?$/.test(type) ? `${cell}::BIGINT` : undefined
    case 'days':
      return type === 'DATE' ? `(${cell} - DATE '1970-01-01')::BIGINT` : undefined
    case 'micros':
      return /^(DATE$|TIMESTAMP)/.test(type) ? `epoch_us(${cell})` : undefined
  }
}

/** RFC 6901. */
const jsonPointer = (names: readonly string[]) =>
  names.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** Every path through structs that the file has, as JSON text, with its type. */
function knownPaths(
  names: readonly string[],
  types: readonly DuckDBType[],
): ReadonlyMap<string, string> {
  type Nested = { readonly entryNames?: readonly string[]; readonly entryTypes?: readonly Nested[] }
  const known = new Map<string, string>()
  const add = (path: readonly string[], type: Nested) => {
    known.set(JSON.stringify(path), String(type))
    for (const [index, name] of (type.entryNames ?? []).entries())
      add([...path, name], type.entryTypes![index]!)
  }
  for (const [index, name] of names.entries()) add([name], types[index] as Nested)
  return known
}

/** DuckDB's default limit on one JSON object; ours is the whole file when that is more. */
const OBJECT_BYTES_MAX = 16 * 1024 * 1024

async function writeJsonRows(
  connection: TableConnection,
  { path, columns, rows, compression, parsed }: JsonRowsRequest,
  signal: AbortSignal | undefined,
): Promise<void> {
  const json = `${path}.ndjson`
  try {
    await writeLines(json, rows, signal)
    const { size } = await stat(json)
    const types = columns.map(
      (column) => `${quoteText(column.name)}: ${quoteText(duckdbType(column.type))}`,
    )
    const source =
      `read_json(${quoteText(withoutPatterns(json))}, format='newline_delimited', ` +
      `columns={${types.join(', ')}}, maximum_object_size=${Math.max(OBJECT_BYTES_MAX, size)})`
    const names = columns
      .map(({ name }) =>
        parsed?.struct === name
          ? `${parsedSql(parsed)} AS ${quoteIdentifier(name)}`
          : quoteIdentifier(name),
      )
      .join(', ')
    await connection.run(
      `COPY (SELECT ${names} FROM ${source}) TO ${quoteText(path)} ` +
        `(FORMAT parquet, COMPRESSION ${compression})`,
      { signal },
    )
  } finally {
    await unlink(json).catch(() => {})
  }
}

/** A struct with one field more, parsed from the JSON text of another of its fields. */
function parsedSql({ struct, field, as, columns }: NonNullable<JsonRowsRequest['parsed']>): string {
  const cell = quoteIdentifier(struct)
  const text = quotePath([struct, field])
  const shape = quoteText(JSON.stringify(shapeOf(columns)))
  return `CASE WHEN ${cell} IS NULL THEN NULL ELSE struct_insert(${cell}, ${quoteIdentifier(as)} := json_transform(${text}, ${shape})) END`
}

/** Columns as `json_transform` wants them: names with types, structs as objects. */
function shapeOf(columns: Columns): object {
  return Object.fromEntries(
    columns.map(({ name, type }) => [
      name,
      typeof type !== 'string' && type.kind === 'struct' ? shapeOf(type.columns) : duckdbType(type),
    ]),
  )
}

/** Lines go out in pieces of about this size. */
const WRITE_CHARACTERS = 256 * 1024

async function writeLines(
  file: string,
  lines: AsyncIterable<string>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const stream = createWriteStream(file)
  const done = once(stream, 'close')
  try {
    let text = ''
    for await (const line of lines) {
      signal?.throwIfAborted()
      text += `${line}\n`
      if (text.length < WRITE_CHARACTERS) continue
      if (!stream.write(text)) await once(stream, 'drain')
      text = ''
    }
    stream.end(text)
  } catch (error) {
    stream.destroy()
    throw error
  }
  await done
}
