import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rm, stat } from 'node:fs/promises'
import type { DuckDBValue } from '@duckdb/node-api'
import type { Columns } from '../../model/column.ts'
import type { ComputeEngine, EngineConnection } from './engine.ts'
import { quoteIdentifier, quotePath, quoteText } from './quote-identifier.ts'
import { duckdbType } from './type-mapping.ts'

// Small Parquet files of somebody else's, read by field and written from JSON rows: what a lake needs for its own
// metadata. Fills the `ParquetPort` of `lake/parquet-port.ts`.

/** One field of a Parquet file, and the form in which it is wanted. */
export interface WantedField {
  /** Names from the top down through structs. */
  readonly path: readonly string[]
  readonly as: 'text' | 'number' | 'boolean' | 'json'
}

export type Cell = string | number | boolean | null

export interface ParquetFiles {
  /** Rows in which at least one of `presentAny` is not null, in file order, a chunk at a time. */
  readFields(
    request: {
      readonly location: string
      readonly fields: readonly WantedField[]
      readonly presentAny: readonly (readonly string[])[]
    },
    signal?: AbortSignal,
  ): AsyncIterable<{ readonly rowCount: number; readonly columns: readonly (readonly Cell[])[] }>

  /** A new file from rows given as one JSON object each. Not fsynced. */
  writeJsonRows(
    request: {
      readonly path: string
      readonly columns: Columns
      readonly rows: Iterable<string>
      readonly compression: 'zstd' | 'snappy'
    },
    signal?: AbortSignal,
  ): Promise<void>
}

/** The longest JSON row that is taken whatever the file's size: statistics of wide tables are long. */
const JSON_ROW_BYTES_MIN = 16 * 1024 * 1024

export function parquetFiles(engine: ComputeEngine): ParquetFiles {
  return Object.freeze({
    async *readFields({ location, fields, presentAny }, signal) {
      const connection = await engine.connection()
      try {
        const source = `read_parquet(${quoteText(location)}, hive_partitioning=false)`
        const known = await fieldsIn(connection, source)
        const present = presentAny.filter((path) => known.has(nameOf(path)))
        if (present.length === 0) return
        const cells = fields.map((field) => cellSql(field, known))
        const condition = present.map((path) => `${quotePath(path)} IS NOT NULL`).join(' OR ')
        const sql = `SELECT ${cells.join(', ')} FROM ${source} WHERE ${condition} ORDER BY file_row_number`
        const numbered = sql.replace(
          'hive_partitioning=false',
          'hive_partitioning=false, file_row_number=true',
        )
        for await (const chunk of connection.stream(numbered, signal)) {
          const columns = chunk.getColumns().map((column) => column.map(cellOf))
          yield { rowCount: chunk.rowCount, columns }
        }
      } finally {
        connection.close()
      }
    },

    async writeJsonRows({ path, columns, rows, compression }, signal) {
      const json = `${path}.json`
      const connection = await engine.connection()
      try {
        await writeLines(json, rows)
        const types = columns.map((c) => `${quoteText(c.name)}: ${quoteText(duckdbType(c.type))}`)
        const objectBytesMax = Math.max(JSON_ROW_BYTES_MIN, (await stat(json)).size + 1)
        await connection.run(
          `COPY (SELECT * FROM read_json(${quoteText(json)}, format='newline_delimited', ` +
            `columns={${types.join(', ')}}, maximum_object_size=${objectBytesMax})) ` +
            `TO ${quoteText(path)} (FORMAT parquet, COMPRESSION ${compression})`,
          { signal },
        )
      } finally {
        connection.close()
        await rm(json, { force: true })
      }
    },
  } satisfies ParquetFiles)
}

async function writeLines(file: string, lines: Iterable<string>): Promise<void> {
  const stream = createWriteStream(file)
  for (const line of lines) if (!stream.write(`${line}\n`)) await once(stream, 'drain')
  stream.end()
  await once(stream, 'close')
}

/** Every field of the file, through structs, by the JSON text of its path. */
async function fieldsIn(
  connection: EngineConnection,
  source: string,
): Promise<ReadonlySet<string>> {
  type Nested = { readonly entryNames?: readonly string[]; readonly entryTypes?: readonly Nested[] }
  const known = new Set<string>()
  const add = (path: readonly string[], type: Nested) => {
    known.add(nameOf(path))
    for (const [index, name] of (type.entryNames ?? []).entries())
      add([...path, name], type.entryTypes![index]!)
  }
  const result = await connection.run(`SELECT * FROM ${source} LIMIT 0`)
  for (const [index, name] of result.columnNames().entries())
    add([name], result.columnType(index) as Nested)
  return known
}

const nameOf = (path: readonly string[]) => JSON.stringify(path)

function cellSql({ path, as }: WantedField, known: ReadonlySet<string>): string {
  if (!known.has(nameOf(path))) return 'NULL'
  const cell = path.length === 1 ? quoteIdentifier(path[0]!) : quotePath(path)
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

const cellOf = (value: DuckDBValue): Cell =>
  typeof value === 'bigint' ? Number(value) : (value as Cell)
