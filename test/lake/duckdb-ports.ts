import { randomUUID } from 'node:crypto'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { ParquetPort } from '../../src/lake/parquet-port.ts'
import type { RowsPort } from '../../src/lake/rows-port.ts'
import type { ColumnStatistics, StageFilesPort } from '../../src/lake/stage-files.ts'
import type { Columns } from '../../src/model/column.ts'
import type { Relation } from '../../src/model/relation.ts'
import { lakeRows } from '../../src/sql/duckdb/lake-rows.ts'
import { parquetTables } from '../../src/sql/duckdb/parquet-tables.ts'
import { quoteIdentifier, quoteText } from '../../src/sql/duckdb/quote-identifier.ts'

/** The lake's ports on a DuckDB of the test's own, as small as they can be. */
export interface TestEngine {
  readonly connection: DuckDBConnection
  readonly stageFiles: StageFilesPort
  readonly parquet: ParquetPort
  readonly tableRows: RowsPort
  /** Run SQL, get row objects as JSON values. */
  rows(sql: string): Promise<Record<string, unknown>[]>
  /** Make a relation from a query. */
  relation(sql: string, columns: Columns): Promise<Relation>
  close(): void
}

export async function openTestEngine(): Promise<TestEngine> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '2' })
  const connection = await instance.connect()
  await connection.run(`SET GLOBAL TimeZone = 'UTC'`)
  const rows = async (sql: string) =>
    (await connection.runAndReadAll(sql)).getRowObjectsJson() as Record<string, unknown>[]
  const relationName = (word: string) => `${word}_${randomUUID().replaceAll('-', '')}`
  const connect = async () => {
    const own = await instance.connect()
    return {
      async open(sql: string) {
        const result = await own.stream(sql)
        return {
          names: result.columnNames(),
          types: result.columnTypes(),
          chunks: (async function* () {
            for (;;) {
              const chunk = await result.fetchChunk()
              if (chunk === null || chunk.rowCount === 0) return
              yield chunk
            }
          })(),
        }
      },
      run: (sql: string) => own.run(sql),
      make: (sql: string) => own.run(sql),
      close: () => own.closeSync(),
    }
  }
  return {
    connection,
    stageFiles: { stageFiles: (request) => stageFiles(rows, request) },
    parquet: parquetTables(connect),
    tableRows: lakeRows({ connect, relationName }),
    rows,
    async relation(sql, columns) {
      const name = relationName('relation')
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

type Rows = (sql: string) => Promise<Record<string, unknown>[]>

const stageFiles = async (
  rows: Rows,
  request: Parameters<StageFilesPort['stageFiles']>[0],
): Promise<Awaited<ReturnType<StageFilesPort['stageFiles']>>> => {
  const { relation, columns, partitionBy, directory, fileBytesTarget } = request
  const { compression = 'zstd', orderBy = [] } = request
  const names = [...columns.map((column) => column.name), ...partitionBy].map(quoteIdentifier)
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(quoteIdentifier).join(', ')}`
  const ids = columns.flatMap((column) =>
    column.fieldId === undefined ? [] : [`${quoteIdentifier(column.name)}: ${column.fieldId}`],
  )
  const options = ['FORMAT parquet', `COMPRESSION ${compression}`, 'RETURN_STATS']
  if (ids.length > 0) options.push(`FIELD_IDS {${ids.join(', ')}}`)
  options.push(
    "FILENAME_PATTERN 'part-{uuid}'",
    partitionBy.length > 0
      ? `PARTITION_BY (${partitionBy.map(quoteIdentifier).join(', ')})`
      : `FILE_SIZE_BYTES ${fileBytesTarget}`,
  )
  const written = await rows(
    `COPY (SELECT ${names.join(', ')} FROM ${relation.name}${order}) TO ${quoteText(directory)} (${options.join(', ')})`,
  )
  return written.map((file) => {
    const keys = entries(file.partition_keys)
    const rowCount = Number(file.count)
    return {
      path: String(file.filename),
      bytes: Number(file.file_size_bytes),
      rowCount,
      partitionValues: Object.fromEntries(
        partitionBy.map((name) => [name, (keys.get(name) ?? null) as string | null]),
      ),
      columnStatistics: [...entries(file.column_statistics)].map(([name, value]) =>
        statisticsOf(name, entries(value)),
      ),
    }
  })
}

function entries(map: unknown): Map<string, unknown> {
  return new Map(
    ((map ?? []) as { key: string; value: unknown }[]).map(({ key, value }) => [key, value]),
  )
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
